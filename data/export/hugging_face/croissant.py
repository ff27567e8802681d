"""croissant.json of a Parquet export: files, columns and provenance in MLCommons' Croissant format, version 1.1.

Core fields follow docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html, and the `rai:` fields follow the
Responsible-AI extension, version 1.0. There are no dates: the same data set gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from dcign.data.export.hugging_face.columns import CLASS, IMAGE, SOURCE, ExportColumn
from dcign.data.export.hugging_face.parquet import DATA, parquet_files
from dcign.data.export.hugging_face.provenance import Provenance
from dcign.data.export.split import SplitSource
from dcign.data.schema import TRUTH
from dcign.storage.atomic import file_sha256, write_atomic

FILE = "croissant.json"
Json = dict[str, Any]
CONFORMS_TO = ("http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0")
CONTEXT: Json = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "arrayShape": "cr:arrayShape",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
PARQUET = "application/x-parquet"
DATA_TYPES = {IMAGE: "sc:ImageObject", CLASS: "sc:Integer", "int64": "sc:Integer", "uint8": "sc:Integer"}


def write_croissant(
    folder: Path,
    splits: Sequence[SplitSource],
    columns: Sequence[ExportColumn],
    about: Provenance,
) -> None:
    """Write croissant.json beside the Parquet files."""
    document = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": list(CONFORMS_TO),
        "name": about.name,
        "description": about.description,
        "license": about.licence,
        "version": "1.0.0",
        "isLiveDataset": False,
        "keywords": list(about.tags),
        "citeAs": about.citation,
        **{f"rai:{name}": text for name, text in about.responsible_ai.items()},
        "distribution": [each for split in splits for each in _distribution(folder, split)],
        "recordSet": [_record_set(split, columns) for split in splits],
    }
    write_atomic(folder / FILE, (json.dumps(document, indent=1) + "\n").encode())


def _distribution(folder: Path, split: SplitSource) -> Iterator[Json]:
    """Yield the set of a split's files, and each file with its size and hash."""
    pattern = f"{DATA}/{split.name}-*.parquet"
    yield {"@type": "cr:FileSet", "@id": f"{split.name}-files", "encodingFormat": PARQUET, "includes": pattern}
    for path in parquet_files(folder, split):
        yield {
            "@type": "cr:FileObject",
            "@id": f"{DATA}/{path.name}",
            "name": path.name,
            "contentUrl": f"{DATA}/{path.name}",
            "contentSize": f"{path.stat().st_size} B",
            "encodingFormat": PARQUET,
            "sha256": file_sha256(path),
        }


def _record_set(split: SplitSource, columns: Sequence[ExportColumn]) -> Json:
    return {
        "@type": "cr:RecordSet",
        "@id": split.name,
        "name": split.name,
        "description": f"{split.image_count:,} pictures in {split.batch_count:,} batches.",
        "field": [_field(split.name, column) for column in columns if _is_held(split, column)],
    }


def _is_held(split: SplitSource, column: ExportColumn) -> bool:
    """Return whether a split has values in this column; it is null in the others."""
    held = {TRUTH: split.layout.truth, SOURCE: split.layout.sources}
    return not column.group or column.name.removeprefix(f"{column.group}_") in held[column.group]


def _field(split: str, column: ExportColumn) -> Json:
    source: Json = {"fileSet": {"@id": f"{split}-files"}, "extract": {"column": column.name}}
    if column.dtype == IMAGE:
        source["transform"] = {"jsonPath": "bytes"}
    names = f": {', '.join(f'{code} {name}' for code, name in enumerate(column.names))}" if column.names else ""
    array = {"isArray": True, "arrayShape": ",".join(map(str, column.shape))} if column.shape else {}
    return {
        "@type": "cr:Field",
        "@id": f"{split}/{column.name}",
        "name": column.name,
        "description": column.text + names,
        "dataType": DATA_TYPES.get(column.dtype, "sc:Float"),
        **array,
        "source": source,
    }
