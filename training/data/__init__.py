"""Picture sets: Parquet shards or class folders, in memory or streamed, in an order that is a pure function."""

from training.data.errors import BrokenPicture, DataError
from training.data.memory import Cache
from training.data.order import Blocks, Indices, shares, stream
from training.data.pictures import InMemory, Pictures
from training.data.sets import PictureSet, find_folder, load, load_for, load_with_files, match_vocabulary, parse_spec
from training.data.unite import check_apart, load_united, unite, united_vocabularies

__all__ = [
    "Blocks",
    "BrokenPicture",
    "Cache",
    "DataError",
    "InMemory",
    "Indices",
    "PictureSet",
    "Pictures",
    "check_apart",
    "find_folder",
    "load",
    "load_for",
    "load_united",
    "load_with_files",
    "match_vocabulary",
    "parse_spec",
    "shares",
    "stream",
    "unite",
    "united_vocabularies",
]
