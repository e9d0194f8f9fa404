"""The fictional municipality 架空市 and its people: every name and number is invented."""

from types import MappingProxyType

#: 全国地方公共団体コード with its check digit; no prefecture has the number 99.
MUNICIPALITY_CODE = "990001"

#: The contact block, with the keys that the relying parties' settings have.
OFFICE = MappingProxyType(
    {
        "name_ja": "架空市",
        "name_en": "Kakuu City",
        "office_ja": "こども課",
        "office_en": "Children's Division",
        "tel": "0000-12-3456",
        "hours_ja": "平日 8時30分から17時15分まで",
        "hours_en": "weekdays 8:30 to 17:15",
    }
)
