//! The values of a JSON text, one at a time: the elements of an array, or values one after the other.
//!
//! The scanner only finds where a value ends (brackets, strings, escapes); serde checks that the value is well-formed.
//! At most one value is in memory.

use std::io::{self, BufRead};

use super::limits::MAX_ROW_BYTES;

/// A value's text and the line on which it starts, counted from 1.
#[derive(Debug)]
pub(super) struct JsonElement<'a> {
    pub(super) line: u64,
    pub(super) text: &'a [u8],
}

/// Why there is no next value.
#[derive(Debug)]
pub(super) enum JsonError {
    Io(io::Error),
    /// The text ends inside the value that starts on this line.
    Unfinished(u64),
    /// The value that starts on this line is longer than [`MAX_ROW_BYTES`].
    TooLong(u64),
}

impl From<io::Error> for JsonError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Reads a JSON text byte by byte and counts its lines.
#[derive(Debug)]
pub(super) struct JsonScanner<R> {
    text: R,
    line: u64,
    value: Vec<u8>,
}

impl<R: BufRead> JsonScanner<R> {
    pub(super) fn new(text: R) -> Self {
        Self { text, line: 1, value: Vec::new() }
    }

    pub(super) fn line(&self) -> u64 {
        self.line
    }

    pub(super) fn peek(&mut self) -> io::Result<Option<u8>> {
        Ok(self.text.fill_buf()?.first().copied())
    }

    pub(super) fn skip(&mut self, byte: u8) {
        self.line += u64::from(byte == b'\n');
        self.text.consume(1);
    }

    /// Skips white space and the bytes in `separators`, and peeks at the next byte.
    pub(super) fn skip_to_value(&mut self, separators: &[u8]) -> io::Result<Option<u8>> {
        while let Some(byte) = self.peek()? {
            if !byte.is_ascii_whitespace() && !separators.contains(&byte) {
                return Ok(Some(byte));
            }
            self.skip(byte);
        }
        Ok(None)
    }

    /// Reads the value that starts at the next byte.
    pub(super) fn element(&mut self) -> Result<JsonElement<'_>, JsonError> {
        let line = self.line;
        self.value.clear();
        let mut nesting = Nesting::default();
        loop {
            let Some(byte) = self.peek()? else {
                return if nesting.is_open() { Err(JsonError::Unfinished(line)) } else { Ok(self.finished(line)) };
            };
            if nesting.ends_before(byte) {
                return Ok(self.finished(line));
            }
            self.skip(byte);
            self.value.push(byte);
            nesting.push(byte);
            if nesting.is_complete() {
                return Ok(self.finished(line));
            }
            if self.value.len() > MAX_ROW_BYTES {
                return Err(JsonError::TooLong(line));
            }
        }
    }

    fn finished(&self, line: u64) -> JsonElement<'_> {
        JsonElement { line, text: &self.value }
    }

    /// Skips one value.
    pub(super) fn skip_value(&mut self) -> Result<(), JsonError> {
        let line = self.line;
        let mut nesting = Nesting::default();
        while let Some(byte) = self.peek()? {
            if nesting.ends_before(byte) {
                return Ok(());
            }
            self.skip(byte);
            nesting.push(byte);
            if nesting.is_complete() {
                return Ok(());
            }
        }
        if nesting.is_open() { Err(JsonError::Unfinished(line)) } else { Ok(()) }
    }
}

/// The nesting inside a value.
#[derive(Debug, Default)]
struct Nesting {
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// A string, an object or an array has just been closed at depth 0.
    closed: bool,
}

impl Nesting {
    fn push(&mut self, byte: u8) {
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => (self.in_string, self.closed) = (false, self.depth == 0),
                _ => {}
            }
            return;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                self.closed = self.depth == 0;
            }
            _ => {}
        }
    }

    fn is_open(&self) -> bool {
        self.in_string || self.depth > 0
    }

    fn is_complete(&self) -> bool {
        self.closed
    }

    /// Numbers, `true`, `false` and `null` have no closing byte: they end before `byte`.
    fn ends_before(&self, byte: u8) -> bool {
        !self.is_open() && (byte.is_ascii_whitespace() || matches!(byte, b',' | b']' | b'}'))
    }
}
