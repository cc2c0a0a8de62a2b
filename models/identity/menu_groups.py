"""The menu groups of organisation and settings: presets of roles and layouts tell them from work."""

from app.engine.audit import LOGS

ORGANISATION = "组织权限管理"
BASICS = "基础设置"
"""What the trade is described by: goods, words, parameters."""
SHAPING = "管理"
"""What administrators make of the product."""
SETTINGS = frozenset({BASICS, SHAPING, LOGS})
MANAGEMENT = SETTINGS | {ORGANISATION}
BRIEFS = "board_briefs"
"""What one has sent to oneself: it stands with the work, and is none."""
