"""Entry point of the `visrec` command. It listens for Ctrl-C and SIGTERM before anything slow is imported."""

from visrec.workloads.stopping import stoppable


def main() -> None:
    """Run the command that the arguments name; see `visrec --help`."""
    with stoppable():
        from visrec.workloads.commands import run  # configs and the command line take half a second to import

        run()


if __name__ == "__main__":
    main()
