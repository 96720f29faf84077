"""The Ray jobs of visrec, one file each, and the `visrec` command."""
