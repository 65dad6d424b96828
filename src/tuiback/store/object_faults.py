"""Understands what an object store's refusal means, so that the backend can retry it or tell it in plain words.

obstore raises one exception class for most answers; the HTTP status and S3's error code stand only in its text.
Codes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

import re
from dataclasses import dataclass

from tuiback.errors import EnvironmentFault, NoSuchThing, RepositoryMissing, StorageFull, TuibackError

_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>(\w{1,64})</Code>")
_NOT_FOUND = 404
_NO_RANGE = 416
# 409 is a conditional write that met another one in progress: AWS says to send it again.
_PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
_NOT_IMPLEMENTED = 501
_FULL_STATUS = 507
# MinIO names a full store and an exhausted quota so; QuotaExceeded is what Ceph and others say, often with 403.
_FULL_CODES = frozenset({"QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded"})
_DENIED = frozenset({401, 403})


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that was not yes: HTTP `status`, 0 when no whole answer came, and S3's `code`, "" without one."""

    status: int
    code: str = ""

    @property
    def passing(self) -> bool:
        """Whether the same request may well succeed a little later."""
        return not self.full and (self.status == 0 or self.status in _PASSING)

    @property
    def full(self) -> bool:
        """Whether the store has no room for us."""
        return self.status == _FULL_STATUS or self.code in _FULL_CODES

    @property
    def absent(self) -> bool:
        """Whether there is no such object; the bucket may be missing too where no code came."""
        return self.status == _NOT_FOUND and self.code != "NoSuchBucket"

    @property
    def not_implemented(self) -> bool:
        """Whether the store does not know what was asked of it."""
        return self.status == _NOT_IMPLEMENTED

    @property
    def beyond_end(self) -> bool:
        """Whether the range begins at or after the end of the object."""
        return self.status == _NO_RANGE

    def __str__(self) -> str:
        if self.status == 0:
            return "no answer"
        return f"{self.code} (HTTP {self.status})" if self.code else f"HTTP {self.status}"


def refusal_of(error: Exception) -> Refusal:
    """Read status and code from what obstore raised."""
    text = str(error)
    status, code = _STATUS.search(text), _CODE.search(text)
    return Refusal(int(status[1]) if status else 0, code[1] if code else "")


def told(refusal: Refusal, name: str, url: str) -> TuibackError:
    """The error for people. Never has the request in it, nor the store's own text: either may hold a secret."""
    at = "" if name == url else f"{name}: "
    if refusal.absent:
        return NoSuchThing("there is no such object in the repository", name)
    if refusal.status == _NOT_FOUND:
        return RepositoryMissing("there is no such bucket", url, "make the bucket, or correct the URL")
    if refusal.full:
        return StorageFull(f"writing {name} failed: {refusal}", url, "free space; what was committed is safe")
    if refusal.status in _DENIED:
        remedy = "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and what they may read, write, list and delete"
        return EnvironmentFault(f"{at}the store denies access, {refusal}", url, remedy)
    if refusal.passing:
        remedy = "check the network, AWS_ENDPOINT_URL and the store; what was committed is safe"
        return EnvironmentFault(f"{at}the store kept failing, {refusal}", url, remedy)
    remedy = "check AWS_ENDPOINT_URL, AWS_REGION and that the store speaks S3"
    return EnvironmentFault(f"{at}the store refuses, {refusal}", url, remedy)
