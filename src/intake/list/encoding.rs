//! Character encodings: decodes every list to UTF-8.

use std::io::{self, BufRead, Read};

use encoding_rs::{CoderResult, Decoder, MACINTOSH, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::cp850;
use super::encoding_guess::{ByteGuess, table};
use super::source::ListBytes;
use super::unsupported::unsupported_format;
use crate::campaign::ListEncoding;
use crate::intake::error::ListError;

/// A list's character encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// One that the web knows.
    Web(&'static encoding_rs::Encoding),
    /// That of DOS in western Europe.
    Cp850,
    /// UTF-8 and, in other rows, this one.
    Mixed(ListEncoding),
}

impl Encoding {
    /// The encoding that the campaign names, or else the one that the file shows: by the byte order mark or, without one,
    /// by its bytes. A file with more characters of UTF-8 than broken ones is UTF-8: the broken ones are a problem of
    /// their cells. Otherwise it is the encoding under which the most letters fit their neighbours: Windows-1252, the
    /// default of spreadsheets, Mac Roman or CP850.
    pub(super) fn detect(mut bytes: ListBytes, named: Option<ListEncoding>) -> Result<Self, ListError> {
        let start = bytes.fill_buf()?;
        if let Some(format) = unsupported_format(start) {
            return Err(ListError::NotText(format));
        }
        if let Some(named) = named {
            return Ok(Self::named(named));
        }
        if let Some((encoding, _)) = encoding_rs::Encoding::for_bom(start) {
            return Ok(Self::Web(encoding));
        }
        if let Some(encoding) = utf16_without_mark(start) {
            return Ok(Self::Web(encoding));
        }
        let guess = ByteGuess::of(bytes)?;
        Ok(if guess.is_mixed() { Self::Mixed(guess.encoding()) } else { Self::named(guess.encoding()) })
    }

    fn named(named: ListEncoding) -> Self {
        match named {
            ListEncoding::Utf8 => Self::Web(UTF_8),
            ListEncoding::Utf16Le => Self::Web(UTF_16LE),
            ListEncoding::Utf16Be => Self::Web(UTF_16BE),
            ListEncoding::Windows1252 => Self::Web(WINDOWS_1252),
            ListEncoding::MacRoman => Self::Web(MACINTOSH),
            ListEncoding::Cp850 => Self::Cp850,
        }
    }

    /// The encoding of converted lists.
    pub(super) fn utf8() -> Self {
        Self::Web(UTF_8)
    }

    /// The bytes as UTF-8 text, without a byte order mark.
    pub(super) fn decode(self, bytes: ListBytes) -> DecodedText {
        DecodedText {
            bytes,
            decoder: match self {
                Self::Web(encoding) => TextDecoder::Web(encoding.new_decoder_with_bom_removal()),
                Self::Cp850 => TextDecoder::Cp850,
                Self::Mixed(other) => {
                    TextDecoder::Mixed(Box::new(MixedDecoder { table: table(other), carried: Vec::new() }))
                }
            },
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

/// Decodes one list.
enum TextDecoder {
    Web(Decoder),
    Cp850,
    Mixed(Box<MixedDecoder>),
}

/// Decodes UTF-8, and bytes that cannot be UTF-8 one by one.
struct MixedDecoder {
    /// The characters of the bytes 0x80 to 0xff.
    table: [char; 128],
    /// The start of a character that goes on in the next chunk.
    carried: Vec<u8>,
}

impl MixedDecoder {
    /// Decodes a chunk, the `last` one if nothing follows.
    fn decode(&mut self, chunk: &[u8], last: bool, into: &mut Vec<u8>) {
        into.clear();
        self.carried.extend_from_slice(chunk);
        let mut rest = self.carried.as_slice();
        while !rest.is_empty() {
            let (valid, is_broken) = match std::str::from_utf8(rest) {
                Ok(text) => (text.len(), false),
                Err(error) => (error.valid_up_to(), error.error_len().is_some() || last),
            };
            into.extend_from_slice(&rest[..valid]);
            rest = &rest[valid..];
            let Some(broken) = rest.first().filter(|_| is_broken) else { break };
            let character = self.table[usize::from(broken.saturating_sub(0x80))];
            into.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            rest = &rest[1..];
        }
        self.carried = rest.to_vec();
    }
}

/// A list's text, decoded in chunks.
pub(super) struct DecodedText {
    bytes: ListBytes,
    decoder: TextDecoder,
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
        let is_all = match &mut self.decoder {
            TextDecoder::Web(decoder) => {
                let room = decoder.max_utf8_buffer_length(input.len()).unwrap_or(1 << 18);
                self.ready.resize(room, 0);
                let (result, read, written, _) = decoder.decode_to_utf8(input, &mut self.ready, last);
                self.bytes.consume(read);
                self.ready.truncate(written);
                result == CoderResult::InputEmpty
            }
            TextDecoder::Cp850 => {
                cp850::decode(input, &mut self.ready);
                let read = input.len();
                self.bytes.consume(read);
                true
            }
            TextDecoder::Mixed(decoder) => {
                decoder.decode(input, last, &mut self.ready);
                let read = input.len();
                self.bytes.consume(read);
                true
            }
        };
        self.consumed = 0;
        self.ended = last && is_all;
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
