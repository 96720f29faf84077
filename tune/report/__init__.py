"""Reports of studies: trials, costs, importance of parameters, plots."""
