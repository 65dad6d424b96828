"""Knows time zones by the names that Windows and the IANA give them.

https://learn.microsoft.com/graph/api/resources/datetimetimezone
"""

from datetime import tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tuiback.simtenant.api.call import Fault

UTC_NAME = "UTC"
# https://github.com/unicode-org/cldr/blob/main/common/supplemental/windowsZones.xml, some of them.
_WINDOWS = {
    "UTC": "Etc/UTC", "GMT Standard Time": "Europe/London", "W. Europe Standard Time": "Europe/Berlin",
    "Romance Standard Time": "Europe/Paris", "Central Europe Standard Time": "Europe/Budapest",
    "Central European Standard Time": "Europe/Warsaw", "GTB Standard Time": "Europe/Bucharest",
    "FLE Standard Time": "Europe/Kiev", "Russian Standard Time": "Europe/Moscow",
    "Turkey Standard Time": "Europe/Istanbul", "Israel Standard Time": "Asia/Jerusalem",
    "Arabian Standard Time": "Asia/Dubai", "India Standard Time": "Asia/Kolkata",
    "Singapore Standard Time": "Asia/Singapore", "China Standard Time": "Asia/Shanghai",
    "Tokyo Standard Time": "Asia/Tokyo", "Korea Standard Time": "Asia/Seoul",
    "AUS Eastern Standard Time": "Australia/Sydney", "New Zealand Standard Time": "Pacific/Auckland",
    "E. South America Standard Time": "America/Sao_Paulo", "Atlantic Standard Time": "America/Halifax",
    "Eastern Standard Time": "America/New_York", "Central Standard Time": "America/Chicago",
    "Mountain Standard Time": "America/Denver", "Pacific Standard Time": "America/Los_Angeles",
    "Alaskan Standard Time": "America/Anchorage", "Hawaiian Standard Time": "Pacific/Honolulu",
}  # fmt: skip


def zone_of(name: str) -> tzinfo:
    """The zone of this name. Raises Fault 400."""
    try:
        return ZoneInfo(_WINDOWS.get(name, name))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        text = f"A valid TimeZone value must be specified. The following TimeZone value is not supported: '{name}'."
        raise Fault(400, "TimeZoneNotSupportedException", text) from error
