"""Every part of the room in every state, of plain values: what /design/ shows. Nothing is stored."""
