"""Opens a place for bytes by its URL, loading only what that kind of place needs."""

from tuiback.errors import UsageError
from tuiback.store.backend import Backend


def open_backend(url: str) -> Backend:
    """The backend of a folder path, file:// URL or s3://BUCKET/PREFIX; nothing is created.

    Raises UsageError for other schemes and malformed URLs, EnvironmentFault when a store's variables are missing.
    """
    scheme, colon, rest = url.partition("://")
    if scheme == "s3" and colon:
        # Loads the S3 client, which no folder needs.
        from tuiback.store.objects import open_bucket

        return open_bucket(url)
    from tuiback.store.folder import FolderBackend

    if not colon:
        return FolderBackend(url)
    if scheme == "file" and rest.startswith("/"):
        return FolderBackend(rest)
    raise UsageError(f"{scheme}:// is not a place this version can store to", url, "name a folder or an s3:// URL")
