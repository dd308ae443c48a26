"""The name by which models added from a SavedModel before find their layer."""

from convert.export.saved_model import Graph

__all__ = ["Graph"]
