"""The errors of visrec.

    Exception
    +-- VisrecError           what the user can mend; one line that says what was expected and what came
        +-- ConfigError       a key, type or value of the configuration is wrong
        +-- DataError         input files are missing, unreadable, or hold too many bad rows
        +-- ArtifactError     a snapshot, checkpoint, ranker, report or release is missing, unfinished or damaged
        +-- NotFoundError     an id that the catalogue or the release does not hold
        +-- UnsupportedError  the release cannot do what the request needs, such as search by picture
        +-- PictureError      a picture cannot be decoded, or is over the limit; `code` says why
        +-- GateError         the gate refuses to make a release of a model; `release.force` overrides it
        +-- DivergedError     training produced a NaN or infinite loss or metric
        +-- ClusterError      the Ray cluster cannot be reached, has another version, or a job on it failed
        +-- StudyInterrupted  Ctrl-C ended a study; it can be resumed

The command prints the message in one line and exits with code 2. The server answers 4xx where the request is at
fault, else 5xx (`visrec.deployments.problems`). Errors of other kinds are faults of visrec itself:
they keep their traceback.
"""


class VisrecError(Exception):
    """Base of all errors that the user can mend."""


class ConfigError(VisrecError):
    """A key, a type or a value of the configuration is wrong."""


class DataError(VisrecError):
    """The input cannot be read, or too much of it is bad."""


class ArtifactError(VisrecError):
    """A snapshot, checkpoint, ranker, report or release is missing, unfinished or damaged."""


class NotFoundError(VisrecError):
    """An id that the catalogue or the release does not hold."""


class UnsupportedError(VisrecError):
    """The release cannot do what the request needs, such as search by picture."""


class GateError(VisrecError):
    """The gate refuses to make a release of a model."""


class PictureError(VisrecError):
    """A picture cannot be decoded or is over the limit.

    Attributes:
        code: Short reason, such as `truncated`, `not_an_image`, `too_many_pixels`.
    """

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code

    def __reduce__(self) -> tuple[object, ...]:
        # The default would call PictureError(message) without `code` when Ray carries it between processes.
        return _picture_error, (str(self), self.code)


class DivergedError(VisrecError):
    """Training produced a NaN or infinite loss or metric."""


class ClusterError(VisrecError):
    """The Ray cluster cannot be reached, does not fit, or a job on it failed."""


class StudyInterrupted(VisrecError):
    """Ctrl-C ended a study; its trials are kept and it can be resumed."""


def first_line(error: object) -> str:
    """The first line of an error's message that is not blank; the name of its class where the message is empty.

    Example:
        >>> first_line(ValueError("\\n  no such file\\nin line 3"))
        'no such file'
        >>> first_line(TimeoutError())
        'TimeoutError'
    """
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


def _picture_error(message: str, code: str) -> PictureError:
    return PictureError(message, code=code)
