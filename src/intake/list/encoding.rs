//! Encodings: whatever the bytes are, the rest of the intake reads UTF-8.

use std::io::{self, BufRead, Read};

use encoding_rs::{CoderResult, Decoder, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::source::Bytes;
use crate::intake::problem::{ListProblem, NotAList};

/// How a list's bytes make text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Encoding(&'static encoding_rs::Encoding);

impl Encoding {
    /// Decides by the byte order mark; without one, by whether all of the file is UTF-8. Spreadsheets write
    /// Windows-1252 when nobody asks them for anything else.
    pub(super) fn of(mut bytes: Bytes) -> Result<Self, ListProblem> {
        let start = bytes.fill_buf().map_err(|error| super::unreadable(&error))?;
        if let Some(what) = foreign_format(start) {
            return Err(ListProblem::NotText(what));
        }
        if let Some((encoding, _)) = encoding_rs::Encoding::for_bom(start) {
            return Ok(Self(encoding));
        }
        if let Some(encoding) = without_mark(start) {
            return Ok(Self(encoding));
        }
        let utf8 = is_utf8(bytes).map_err(|error| super::unreadable(&error))?;
        Ok(Self(if utf8 { UTF_8 } else { WINDOWS_1252 }))
    }

    /// What the intake itself writes.
    pub(super) fn utf8() -> Self {
        Self(UTF_8)
    }

    /// The bytes as UTF-8 text, without a byte order mark.
    pub(super) fn decode(self, bytes: Bytes) -> Text {
        Text { bytes, decoder: self.0.new_decoder_with_bom_removal(), ready: Vec::new(), given: 0, ended: false }
    }
}

/// Files that are no text at all, by their first bytes.
fn foreign_format(start: &[u8]) -> Option<NotAList> {
    match start {
        [0xd0, 0xcf, 0x11, 0xe0, ..] => Some(NotAList::OldWorkbook),
        [0x1f, 0x8b, ..] => Some(NotAList::Compressed),
        [b'%', b'P', b'D', b'F', ..] => Some(NotAList::Pdf),
        _ if is_page(start) => Some(NotAList::Page),
        _ => None,
    }
}

/// A web page, which some systems export under the name of a workbook.
fn is_page(start: &[u8]) -> bool {
    let text = start.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(start).trim_ascii_start();
    [&b"<html"[..], b"<!doctype", b"<table", b"<?xml"]
        .iter()
        .any(|tag| text.get(..tag.len()).is_some_and(|first| first.eq_ignore_ascii_case(tag)))
}

/// UTF-16 shows itself by the zero in every other byte of a header in ASCII.
fn without_mark(start: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    match start {
        [0, b, 0, _, ..] if *b != 0 => Some(UTF_16BE),
        [b, 0, _, 0, ..] if *b != 0 => Some(UTF_16LE),
        _ => None,
    }
}

fn is_utf8(mut bytes: Bytes) -> io::Result<bool> {
    let mut buffer = vec![0; 1 << 16];
    let mut kept = 0;
    loop {
        let read = bytes.read(&mut buffer[kept..])?;
        let filled = kept + read;
        let (valid, broken) = match std::str::from_utf8(&buffer[..filled]) {
            Ok(_) => (filled, false),
            // `None`: the buffer merely ends in the middle of a character.
            Err(error) => (error.valid_up_to(), error.error_len().is_some()),
        };
        if broken || (read == 0 && valid < filled) {
            return Ok(false);
        }
        if read == 0 {
            return Ok(true);
        }
        buffer.copy_within(valid..filled, 0);
        kept = filled - valid;
    }
}

/// A list's text, decoded piece by piece.
pub(super) struct Text {
    bytes: Bytes,
    decoder: Decoder,
    ready: Vec<u8>,
    given: usize,
    ended: bool,
}

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Text(masked)")
    }
}

impl Text {
    /// Decodes the next piece into `ready`.
    fn refill(&mut self) -> io::Result<()> {
        let input = self.bytes.fill_buf()?;
        let last = input.is_empty();
        let room = self.decoder.max_utf8_buffer_length(input.len()).unwrap_or(1 << 18);
        self.ready.resize(room, 0);
        let (result, read, written, _) = self.decoder.decode_to_utf8(input, &mut self.ready, last);
        self.bytes.consume(read);
        self.ready.truncate(written);
        self.given = 0;
        self.ended = last && result == CoderResult::InputEmpty;
        Ok(())
    }
}

impl BufRead for Text {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.given == self.ready.len() && !self.ended {
            self.refill()?;
        }
        Ok(&self.ready[self.given..])
    }

    fn consume(&mut self, amount: usize) {
        self.given += amount;
    }
}

impl Read for Text {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let ready = self.fill_buf()?;
        let count = ready.len().min(buffer.len());
        buffer[..count].copy_from_slice(&ready[..count]);
        self.consume(count);
        Ok(count)
    }
}
