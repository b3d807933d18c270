//! gzip: unpacked once, into an unnamed temporary file.

use std::io::{self, Read};

use flate2::read::MultiGzDecoder;

use super::source::{ListOrigin, spool};
use crate::intake::error::{ListError, UnsupportedFormat};

/// The first bytes of a gzip file.
const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The maximum ratio of unpacked to packed size. A real list has a ratio of 5 to 20; a higher one means repetitive data
/// that could fill the disk.
const MAX_RATIO: u64 = 100;

/// The maximum unpacked size in bytes, whatever the packed size: about ten million rows.
const MAX_UNPACKED: u64 = 1 << 30;

/// The unpacked list if `origin` is gzip, otherwise `origin`.
pub(super) fn unpack(origin: ListOrigin) -> Result<ListOrigin, ListError> {
    if !origin.starts_with(&MAGIC)? {
        return Ok(origin);
    }
    let limit = origin.size()?.saturating_mul(MAX_RATIO).saturating_add(1 << 16).min(MAX_UNPACKED);
    let mut text = MultiGzDecoder::new(origin.bytes()?).take(limit + 1);
    let write = |file: &mut std::fs::File| match io::copy(&mut text, file) {
        Ok(bytes) if bytes > limit => Err(ListError::NotText(UnsupportedFormat::Bomb)),
        Ok(_) => Ok(()),
        Err(error) => Err(unpack_error(error)),
    };
    spool(write, origin.modified())
}

/// Tells damaged gzip data from a failing disk.
fn unpack_error(error: io::Error) -> ListError {
    use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    if matches!(error.kind(), InvalidInput | InvalidData | UnexpectedEof) { ListError::Damaged } else { error.into() }
}
