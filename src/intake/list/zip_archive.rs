//! Zip archives: a workbook of some kind, or one packed list.

use std::io::{self, Read};

use zip::ZipArchive;

use super::source::{ListBytes, ListOrigin, spool};
use crate::intake::error::{ListError, UnsupportedFormat};

/// The first bytes of a zip archive; the others are of an empty one, and of one in several parts.
const MAGIC: [&[u8]; 3] = [b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"];

/// The maximum ratio of unpacked to packed size, as for gzip.
const MAX_RATIO: u64 = 100;

/// The maximum unpacked size in bytes, as for gzip.
const MAX_UNPACKED: u64 = 1 << 30;

/// The maximum number of files that are looked at.
const MAX_FILES: usize = 10_000;

/// The kinds of files that can be lists, by the end of their names.
const LIST_KINDS: [&str; 11] = ["csv", "tsv", "tab", "json", "jsonl", "ndjson", "xlsx", "xlsm", "xls", "ods", "gz"];

/// What a zip archive is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ZipKind {
    /// `.xlsx`
    Workbook,
    /// `.ods`
    OpenDocument,
    /// One list, at this position.
    List(usize),
}

/// What `origin` is; `None` if it is not a zip archive.
pub(super) fn kind(origin: &ListOrigin) -> Result<Option<ZipKind>, ListError> {
    if !MAGIC.iter().any(|magic| origin.starts_with(magic).unwrap_or(false)) {
        return Ok(None);
    }
    let archive = ZipArchive::new(origin.bytes()?).map_err(|_| ListError::Damaged)?;
    let names: Vec<String> =
        archive.file_names().take(MAX_FILES).map(|name| name.unwrap_or_default().into_owned()).collect();
    let has = |wanted: &str| names.iter().any(|name| name == wanted);
    let has_start = |start: &str| names.iter().any(|name| name.starts_with(start));
    let unsupported = |format| Err(ListError::NotText(format));
    if has("xl/workbook.bin") {
        unsupported(UnsupportedFormat::BinaryWorkbook)
    } else if has("[Content_Types].xml") && has_start("xl/") {
        Ok(Some(ZipKind::Workbook))
    } else if has_start("word/") || has_start("ppt/") {
        unsupported(UnsupportedFormat::Document)
    } else if has("Index/Document.iwa") || has("Index.zip") {
        unsupported(UnsupportedFormat::Apple)
    } else if has("mimetype") && has("content.xml") {
        open_document(origin)
    } else {
        only_list(&names).map(|at| Some(ZipKind::List(at)))
    }
}

/// Tells an `OpenDocument` spreadsheet from a text.
fn open_document(origin: &ListOrigin) -> Result<Option<ZipKind>, ListError> {
    let mut archive = ZipArchive::new(origin.bytes()?).map_err(|_| ListError::Damaged)?;
    let mut kind = String::new();
    let part = archive.by_name("mimetype").map_err(|_| ListError::Damaged)?;
    part.take(100).read_to_string(&mut kind).map_err(|_| ListError::Damaged)?;
    if kind.contains("spreadsheet") {
        Ok(Some(ZipKind::OpenDocument))
    } else {
        Err(ListError::NotText(UnsupportedFormat::Document))
    }
}

/// The position of the only file that could be a list. What systems add by themselves does not count.
fn only_list(names: &[String]) -> Result<usize, ListError> {
    let file_name = |name: &str| name.rsplit(['/', '\\']).next().unwrap_or_default().to_lowercase();
    let is_file = |name: &str| {
        let last = file_name(name);
        !name.starts_with("__MACOSX/")
            && !last.starts_with('.')
            && !matches!(last.as_str(), "" | "thumbs.db" | "desktop.ini")
    };
    let files: Vec<usize> = (0..names.len()).filter(|at| is_file(&names[*at])).collect();
    let is_list = |at: &&usize| {
        let last = file_name(&names[**at]);
        last.rsplit_once('.').is_some_and(|(_, kind)| LIST_KINDS.contains(&kind))
    };
    let lists: Vec<usize> = files.iter().filter(is_list).copied().collect();
    match (lists.as_slice(), files.as_slice()) {
        ([only], _) | ([], [only]) => Ok(*only),
        _ => Err(ListError::NotText(UnsupportedFormat::Archive)),
    }
}

/// Unpacks the file at position `at` into an unnamed temporary file.
pub(super) fn unpack(origin: &ListOrigin, at: usize) -> Result<ListOrigin, ListError> {
    let limit = origin.size()?.saturating_mul(MAX_RATIO).saturating_add(1 << 16).min(MAX_UNPACKED);
    let mut archive: ZipArchive<ListBytes> = ZipArchive::new(origin.bytes()?).map_err(|_| ListError::Damaged)?;
    let is_locked = archive.by_index_raw(at).is_ok_and(|part| part.encrypted());
    if is_locked {
        return Err(ListError::NotText(UnsupportedFormat::LockedArchive));
    }
    let part = archive.by_index(at).map_err(|_| ListError::Damaged)?;
    let mut text = part.take(limit + 1);
    let write = |file: &mut std::fs::File| match io::copy(&mut text, file) {
        Ok(bytes) if bytes > limit => Err(ListError::NotText(UnsupportedFormat::Bomb)),
        Ok(_) => Ok(()),
        Err(_) => Err(ListError::Damaged),
    };
    spool(write, origin.modified())
}
