//! Character encodings: decodes every list to UTF-8.

use std::io::{self, BufRead, Read};

use encoding_rs::{CoderResult, Decoder, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::source::ListBytes;
use super::unsupported::unsupported_format;
use crate::intake::error::ListError;

/// A list's character encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Encoding(&'static encoding_rs::Encoding);

impl Encoding {
    /// Detects the encoding by the byte order mark or, without one, by whether the whole file is UTF-8. Otherwise it is
    /// Windows-1252, the default of spreadsheets.
    pub(super) fn detect(mut bytes: ListBytes) -> Result<Self, ListError> {
        let start = bytes.fill_buf()?;
        if let Some(format) = unsupported_format(start) {
            return Err(ListError::NotText(format));
        }
        if let Some((encoding, _)) = encoding_rs::Encoding::for_bom(start) {
            return Ok(Self(encoding));
        }
        if let Some(encoding) = utf16_without_mark(start) {
            return Ok(Self(encoding));
        }
        Ok(Self(if is_utf8(bytes)? { UTF_8 } else { WINDOWS_1252 }))
    }

    /// The encoding of converted lists.
    pub(super) fn utf8() -> Self {
        Self(UTF_8)
    }

    /// The bytes as UTF-8 text, without a byte order mark.
    pub(super) fn decode(self, bytes: ListBytes) -> DecodedText {
        DecodedText {
            bytes,
            decoder: self.0.new_decoder_with_bom_removal(),
            ready: Vec::new(),
            consumed: 0,
            ended: false,
        }
    }
}

/// Detects UTF-16 by the zero in every other byte of an ASCII header.
fn utf16_without_mark(start: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    match start {
        [0, b, 0, _, ..] if *b != 0 => Some(UTF_16BE),
        [b, 0, _, 0, ..] if *b != 0 => Some(UTF_16LE),
        _ => None,
    }
}

fn is_utf8(mut bytes: ListBytes) -> io::Result<bool> {
    let mut buffer = vec![0; 1 << 16];
    let mut kept = 0;
    loop {
        let read = bytes.read(&mut buffer[kept..])?;
        let filled = kept + read;
        let (valid, broken) = match std::str::from_utf8(&buffer[..filled]) {
            Ok(_) => (filled, false),
            // `error_len` is `None` if the buffer ends in the middle of a character.
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

/// A list's text, decoded in chunks.
pub(super) struct DecodedText {
    bytes: ListBytes,
    decoder: Decoder,
    ready: Vec<u8>,
    consumed: usize,
    ended: bool,
}

impl std::fmt::Debug for DecodedText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DecodedText(masked)")
    }
}

impl DecodedText {
    /// Decodes the next chunk into `ready`.
    fn refill(&mut self) -> io::Result<()> {
        let input = self.bytes.fill_buf()?;
        let last = input.is_empty();
        let room = self.decoder.max_utf8_buffer_length(input.len()).unwrap_or(1 << 18);
        self.ready.resize(room, 0);
        let (result, read, written, _) = self.decoder.decode_to_utf8(input, &mut self.ready, last);
        self.bytes.consume(read);
        self.ready.truncate(written);
        self.consumed = 0;
        self.ended = last && result == CoderResult::InputEmpty;
        Ok(())
    }
}

impl BufRead for DecodedText {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.consumed == self.ready.len() && !self.ended {
            self.refill()?;
        }
        Ok(&self.ready[self.consumed..])
    }

    fn consume(&mut self, amount: usize) {
        self.consumed += amount;
    }
}

impl Read for DecodedText {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let ready = self.fill_buf()?;
        let count = ready.len().min(buffer.len());
        buffer[..count].copy_from_slice(&ready[..count]);
        self.consume(count);
        Ok(count)
    }
}
