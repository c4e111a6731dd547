"""Metadata in Croissant 1.0 (MLCommons): JSON-LD that data-set searches and loaders read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import scintscope
from scintscope.dataset.store import Store
from scintscope.dataset.table import TABLE_FILE, rows

_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_TYPES = {bool: "sc:Boolean", int: "sc:Integer", float: "sc:Float"}
_LICENCES = "https://spdx.org/licenses/"


def croissant(
    store: Store, records: Mapping[int, Mapping[str, Any]], table_sha256: str
) -> dict[str, Any]:
    """Return the metadata of a data set.

    Parameters
    ----------
    store : Store
        The store.
    records : dict
        Its complete samples.
    table_sha256 : str
        Of the table's file.
    """
    study = store.study
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": study.name,
        "description": study.description or f"Simulated thin/thick X-ray image pairs: {study.name}",
        "license": f"{_LICENCES}{study.licence}.html",
        "version": "1.0.0",
        "datePublished": datetime.now(UTC).date().isoformat(),
        "creator": {"@type": "sc:Organization", "name": "The scintscope developers"},
        "citeAs": f"scintscope {scintscope.__version__}, study {study.hash()}",
        "distribution": [_table_file(table_sha256), *_array_files(store)],
        "recordSet": [_record_set(records)],
    }


def _table_file(sha256: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": TABLE_FILE,
        "name": TABLE_FILE,
        "description": "A row a sample: what was drawn, scores, SHA-256 of the sample.",
        "contentUrl": TABLE_FILE,
        "encodingFormat": "application/x-parquet",
        "sha256": sha256,
    }


def _array_files(store: Store) -> list[dict[str, Any]]:
    return [
        {
            "@type": "cr:FileSet",
            "@id": f"array/{name}",
            "name": name,
            "description": f"{spec.description}. Unit {spec.unit}; dimensions sample, "
            f"{', '.join(spec.dims)}; {spec.dtype}. An array of the Zarr v3 store.",
            "encodingFormat": "application/vnd.zarr",
            "includes": f"{name}/**",
        }
        for name, spec in store.specs().items()
    ]


def _record_set(records: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    table = rows(records)
    columns = dict.fromkeys(key for row in table for key in row)
    return {
        "@type": "cr:RecordSet",
        "@id": "samples",
        "name": "samples",
        "description": "One record a sample; index is its place in every array.",
        "key": {"@id": "samples/index"},
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"samples/{name}",
                "name": name,
                "description": _words(name),
                "dataType": _data_type([row.get(name) for row in table]),
                "source": {"fileObject": {"@id": TABLE_FILE}, "extract": {"column": name}},
            }
            for name in columns
        ],
    }


def _words(name: str) -> str:
    if name.startswith("metric."):
        return f"Score: {name.removeprefix('metric.').replace('_', ' ')}"
    return f"Drawn for the sample: {name}" if "." in name else f"The sample's {name}"


def _data_type(values: list[Any]) -> str:
    kinds = {type(v) for v in values if v is not None}
    if kinds == {int, float}:
        return "sc:Float"
    return _TYPES.get(next(iter(kinds)), "sc:Text") if len(kinds) == 1 else "sc:Text"
