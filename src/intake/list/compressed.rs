//! gzip: unpacked once, into a temporary file without a name.

use std::io::{self, Read};

use flate2::read::MultiGzDecoder;

use super::source::{Origin, spool};
use crate::intake::problem::{ListProblem, NotAList};

/// gzip's first bytes.
const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// A list shrinks to a fifth or a twentieth. What unpacks to more than this many times its size repeats itself too much
/// to hold patients, and could fill the disk.
const MOST_TIMES: u64 = 100;

/// However large the packed list is: some ten million rows.
const MOST_UNPACKED: u64 = 1 << 30;

/// The list itself, where `origin` is packed; `origin` otherwise.
pub(super) fn unpacked(origin: Origin) -> Result<Origin, ListProblem> {
    if !origin.starts_with(&MAGIC)? {
        return Ok(origin);
    }
    let most = origin.size()?.saturating_mul(MOST_TIMES).saturating_add(1 << 16).min(MOST_UNPACKED);
    let mut text = MultiGzDecoder::new(origin.bytes()?).take(most + 1);
    let unpack = |file: &mut std::fs::File| match io::copy(&mut text, file) {
        Ok(bytes) if bytes > most => Err(ListProblem::NotText(NotAList::Bomb)),
        Ok(_) => Ok(()),
        Err(error) => Err(broken(&error)),
    };
    spool(unpack, origin.modified())
}

/// A disk that fails says so; anything else is the packed text's own fault.
fn broken(error: &io::Error) -> ListProblem {
    use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    if matches!(error.kind(), InvalidInput | InvalidData | UnexpectedEof) {
        ListProblem::Damaged
    } else {
        super::unreadable(error)
    }
}
