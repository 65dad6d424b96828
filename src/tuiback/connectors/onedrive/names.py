"""Makes names that OneDrive and SharePoint accept."""

import re

# https://support.microsoft.com/office/64883a5d-228e-48f5-b3d2-eb39e07630fa, "Restrictions and limitations".
_FORBIDDEN = re.compile(r'["*:<>?/\\|\x00-\x1f\x7f]')
_RESERVED = re.compile(r"(\.lock|con|prn|aux|nul|com\d|lpt\d|desktop\.ini)", re.IGNORECASE)
_ANYWHERE = re.compile("_vti_", re.IGNORECASE)


def acceptable_name(name: str) -> str:
    """The name itself where it is accepted, else the nearest one that is."""
    nearest = _ANYWHERE.sub("-vti-", _FORBIDDEN.sub("_", name)).strip(" ").rstrip(". ")
    if nearest.startswith("~"):
        nearest = "_" + nearest[1:]
    return f"_{nearest}" if not nearest or _RESERVED.fullmatch(nearest) else nearest
