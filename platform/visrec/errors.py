"""The error tree of visrec.

    VisrecError              every mistake that a user can mend; one line, says what was expected and what came
    +-- ConfigError          a key, type or value of the configuration
    +-- DataError            input files: missing, unreadable, or with too many bad rows
    +-- ArtifactError        a snapshot, checkpoint or release is missing, unfinished or damaged
    +-- NotFoundError        an id that the catalogue or the release does not hold
    +-- UnsupportedError     the release cannot do what the request needs, such as search by picture
    +-- PictureError         a picture that cannot be decoded, or is too large
    +-- DivergedError        a loss or a metric of a training that is no number any more
    +-- ClusterError         no Ray cluster there, another Ray version, a job that failed

The command prints the message in one line and exits 2. The server answers 4xx where the request is at fault, else 5xx
(`visrec.deployments.problems`).
"""


class VisrecError(Exception):
    """Base of every error that visrec raises for a mistake outside of its own code."""


class ConfigError(VisrecError):
    """A key, a type or a value of the configuration is wrong."""


class DataError(VisrecError):
    """The input cannot be read, or too much of it is bad."""


class ArtifactError(VisrecError):
    """A snapshot, checkpoint, report or release is missing, unfinished or damaged."""


class NotFoundError(VisrecError):
    """An id that the catalogue or the release does not hold."""


class UnsupportedError(VisrecError):
    """The release cannot do what the request needs, such as search by picture."""


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
    """The loss or a metric of a training is not a number any more."""


class ClusterError(VisrecError):
    """The Ray cluster cannot be reached, does not fit, or a job on it failed."""


def _picture_error(message: str, code: str) -> PictureError:
    return PictureError(message, code=code)
