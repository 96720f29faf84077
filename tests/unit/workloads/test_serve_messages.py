from visrec.workloads.serve import cause_in

FAILED = """The deployment failed to start 2 times in a row. Error:
ray::ServeReplica:visrec:Retriever.initialize_and_get_metadata() (pid=1, ip=127.0.0.1)
  File "retriever.py", line 3, in load
visrec.errors.ArtifactError: the index at /w/scores is damaged
The above exception was the direct cause of the following exception:
RuntimeError: Traceback (most recent call last):
Deploying application visrec failed"""


def test_our_own_error_is_the_cause() -> None:
    assert cause_in(FAILED) == "the index at /w/scores is damaged"


def test_without_one_the_last_error_then_the_last_line() -> None:
    assert cause_in("ValueError: first\nMemoryError: no room\nfailed") == "MemoryError: no room"
    assert cause_in("it\n failed \n") == "failed"
    assert cause_in("") == "no reason given"
