//! The values of a JSON text, one at a time: the elements of an array, or values one after the other.
//!
//! The scanner only finds where a value ends (brackets, strings, escapes); serde checks that the value is well-formed.
//! At most one value is in memory, without its long strings.

use std::io::{self, BufRead};

use serde::Deserialize;

use super::limits::{HEADER_SEARCH_ROWS, MAX_ROW_BYTES, MAX_STRING_BYTES};
use super::row::RowFault;
use crate::intake::error::ListError;

/// A value's text and the line on which it starts, counted from 1.
#[derive(Debug)]
pub(super) struct JsonElement<'a> {
    pub(super) line: u64,
    /// The value. A string longer than [`MAX_STRING_BYTES`], such as a photo, is empty in it.
    pub(super) text: &'a [u8],
    /// Why the value cannot be read, if the scanner sees it.
    pub(super) fault: Option<RowFault>,
    /// A string contains brackets. If the value is not well-formed JSON, the string may be the values after this one.
    pub(super) has_brackets_in_string: bool,
}

impl<'a> JsonElement<'a> {
    /// The value, or why it cannot be read. If the values after it may be in one of its strings, that is an error.
    pub(super) fn parse<T: Deserialize<'a>>(&self) -> Result<Result<T, RowFault>, ListError> {
        match (self.fault, serde_json::from_slice(self.text)) {
            (Some(fault), _) => Ok(Err(fault)),
            (None, Ok(value)) => Ok(Ok(value)),
            (None, Err(_)) if self.has_brackets_in_string => {
                Err(ListError::Malformed { line: self.line, what: RowFault::NotJson.text() })
            }
            (None, Err(_)) => Ok(Err(RowFault::NotJson)),
        }
    }
}

/// Why there is no next value.
#[derive(Debug)]
pub(super) enum JsonError {
    Io(io::Error),
    /// The text ends inside the value that starts on this line.
    Unfinished(u64),
    /// A bracket on this line closes another kind of bracket, or none.
    Mismatched(u64),
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
    offset: u64,
    /// The text ends at the next line break, as far as the present value is concerned.
    ends_with_line: bool,
    value: Vec<u8>,
}

impl<R: BufRead> JsonScanner<R> {
    pub(super) fn new(text: R) -> Self {
        Self { text, line: 1, offset: 0, ends_with_line: false, value: Vec::new() }
    }

    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// The number of bytes before the next one.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Bounds the next value by its line, or removes the bound.
    pub(super) fn bound_by_line(&mut self, ends_with_line: bool) {
        self.ends_with_line = ends_with_line;
    }

    pub(super) fn peek(&mut self) -> io::Result<Option<u8>> {
        let next = self.text.fill_buf()?.first().copied();
        Ok(next.filter(|byte| !(self.ends_with_line && *byte == b'\n')))
    }

    pub(super) fn skip(&mut self, byte: u8) {
        self.line += u64::from(byte == b'\n');
        self.offset += 1;
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

    /// Skips the rest of the line, without its line break.
    pub(super) fn skip_line(&mut self) -> io::Result<()> {
        while let Some(byte) = self.peek()?.filter(|byte| *byte != b'\n') {
            self.skip(byte);
        }
        Ok(())
    }

    /// Reads the value that starts at the next byte.
    pub(super) fn element(&mut self) -> Result<JsonElement<'_>, JsonError> {
        let line = self.line;
        self.value.clear();
        let has_brackets_in_string = self.scan(&mut KeptText::default())?;
        let fault = (self.value.len() > MAX_ROW_BYTES).then_some(RowFault::TooLong);
        Ok(JsonElement { line, text: &self.value, fault, has_brackets_in_string })
    }

    /// Passes over the value that starts at the next byte, and keeps it in `value` as `kept` says. Returns whether one of
    /// its strings contains brackets.
    fn scan(&mut self, kept: &mut KeptText) -> Result<bool, JsonError> {
        let line = self.line;
        let mut nesting = Nesting::default();
        loop {
            let chunk = self.text.fill_buf()?;
            let (mut used, mut is_ended) = (0, chunk.is_empty());
            while let Some(byte) = chunk.get(used).copied() {
                let is_text_end = byte == b'\n' && self.ends_with_line;
                if is_text_end || nesting.ends_before(byte) {
                    is_ended = true;
                    break;
                }
                let plain = if nesting.is_plain_string() { plain_length(&chunk[used..]) } else { 0 };
                if plain > 0 {
                    kept.push(&chunk[used..used + plain], &nesting, &mut self.value);
                    used += plain;
                    continue;
                }
                used += 1;
                self.line += u64::from(byte == b'\n');
                if !nesting.push(byte) {
                    return Err(JsonError::Mismatched(self.line));
                }
                kept.push(&[byte], &nesting, &mut self.value);
                if nesting.is_complete() {
                    is_ended = true;
                    break;
                }
            }
            self.text.consume(used);
            self.offset += used as u64;
            if is_ended {
                let is_open = nesting.is_open();
                return if is_open { Err(JsonError::Unfinished(line)) } else { Ok(nesting.has_brackets_in_string) };
            }
        }
    }

    /// Reads the value that starts at the next byte of a text with one value on each line. A line that is not one value
    /// is read to its end.
    pub(super) fn element_of_line(&mut self) -> io::Result<JsonElement<'_>> {
        let line = self.line;
        self.bound_by_line(true);
        let read = self.element().map(|element| element.fault);
        let fault = match read {
            Err(JsonError::Io(error)) => return Err(error),
            Err(JsonError::Unfinished(_) | JsonError::Mismatched(_)) => Some(RowFault::NotJson),
            Ok(fault) => match self.skip_to_value(b"")? {
                None | Some(b'{' | b'[' | b',') => fault,
                Some(_) => Some(RowFault::NotJson),
            },
        };
        if fault == Some(RowFault::NotJson) {
            self.skip_line()?;
        }
        self.bound_by_line(false);
        Ok(JsonElement { line, text: &self.value, fault, has_brackets_in_string: false })
    }

    /// Skips one value.
    pub(super) fn skip_value(&mut self) -> Result<(), JsonError> {
        self.scan(&mut KeptText { is_skipped: true, ..KeptText::default() }).map(|_| ())
    }
}

/// The number of bytes at the start of a string's rest that neither end it nor count otherwise.
fn plain_length(rest: &[u8]) -> usize {
    let counts = |byte: &u8| matches!(byte, b'"' | b'\\' | b'{' | b'}' | b'[' | b']' | b'\n');
    rest.iter().position(counts).unwrap_or(rest.len())
}

/// How a value is kept: not at all, or without the text of its long strings.
#[derive(Default)]
struct KeptText {
    is_skipped: bool,
    /// The start of the current string's text.
    string_start: usize,
    was_in_string: bool,
    /// The text of the current string is dropped.
    is_dropped: bool,
}

impl KeptText {
    /// Adds bytes to `value`. `nesting` is that after them.
    fn push(&mut self, bytes: &[u8], nesting: &Nesting, value: &mut Vec<u8>) {
        if self.is_skipped || value.len() > MAX_ROW_BYTES {
            return;
        }
        let was_in_string = std::mem::replace(&mut self.was_in_string, nesting.in_string);
        self.is_dropped &= was_in_string && nesting.in_string;
        if self.is_dropped {
            return;
        }
        value.extend_from_slice(bytes);
        if nesting.in_string && !was_in_string {
            self.string_start = value.len();
        } else if nesting.in_string && value.len() > self.string_start + MAX_STRING_BYTES {
            value.truncate(self.string_start);
            self.is_dropped = true;
        }
    }
}

/// The nesting inside a value.
#[derive(Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is one fact of the scan")]
struct Nesting {
    /// The closing brackets of the open ones.
    open: Vec<u8>,
    in_string: bool,
    escaped: bool,
    /// A string, an object or an array has just been closed at depth 0.
    closed: bool,
    has_brackets_in_string: bool,
}

impl Nesting {
    /// Adds a byte. Returns `false` for a bracket that closes no open one of its kind.
    fn push(&mut self, byte: u8) -> bool {
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => (self.in_string, self.closed) = (false, self.open.is_empty()),
                b'{' | b'}' | b'[' | b']' => self.has_brackets_in_string = true,
                _ => {}
            }
            return true;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' => self.open.push(b'}'),
            b'[' => self.open.push(b']'),
            b'}' | b']' => {
                let matches = self.open.pop() == Some(byte);
                self.closed = self.open.is_empty();
                return matches;
            }
            _ => {}
        }
        true
    }

    /// Whether the next byte is in a string, and not escaped.
    fn is_plain_string(&self) -> bool {
        self.in_string && !self.escaped
    }

    fn is_open(&self) -> bool {
        self.in_string || !self.open.is_empty()
    }

    fn is_complete(&self) -> bool {
        self.closed
    }

    /// Numbers, `true`, `false` and `null` have no closing byte: they end before `byte`.
    fn ends_before(&self, byte: u8) -> bool {
        !self.is_open() && (byte.is_ascii_whitespace() || matches!(byte, b',' | b']' | b'}'))
    }
}

/// The number of bytes in which lines are looked at.
const MAX_SEARCHED: u64 = 16 << 20;

/// Whether a text has one JSON value on each line: most of its first lines are complete objects or arrays.
pub(super) fn is_by_line(text: impl BufRead) -> io::Result<bool> {
    // A longer first line is a text of its own.
    let mut scanner = JsonScanner::new(text.take(MAX_SEARCHED));
    let (mut lines, mut complete) = (0, 0);
    while lines < HEADER_SEARCH_ROWS {
        let Some(first) = scanner.skip_to_value(b"")? else { break };
        scanner.bound_by_line(true);
        lines += 1;
        let is_value = matches!(first, b'{' | b'[') && scanner.skip_value().is_ok();
        complete += usize::from(is_value && scanner.skip_to_value(b"")?.is_none());
        scanner.skip_line()?;
        scanner.bound_by_line(false);
    }
    Ok(complete * 2 > lines)
}
