"""Files as clients send them become censuses as a simulation reads them."""

from planalign.census.importing.importer import Imported, import_once, open_sources
from planalign.census.importing.page import page_of
from planalign.census.importing.publish import outputs_of, publish

__all__ = ["Imported", "import_once", "open_sources", "outputs_of", "page_of", "publish"]
