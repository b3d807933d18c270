//! Protection against decompression bombs in workbooks. Every part of the archive is inflated once, measured and
//! discarded before calamine opens the file, because calamine keeps shared strings and styles in memory. The sizes that
//! the archive declares are not trusted.
//!
//! The limits are far above what spreadsheets write: a sheet of a million rows passes.

use std::io::{BufRead, BufReader, Read};

use zip::ZipArchive;

use super::limits::MAX_ROW_BYTES;
use super::source::{ListBytes, ListOrigin};
use crate::intake::error::{ListError, UnsupportedFormat};

/// The maximum unpacked size of all parts together, in bytes: a million rows of ten columns take half of it.
const MAX_UNPACKED: u64 = 1 << 30;

/// The maximum ratio of unpacked to packed size, plus an allowance for small files. Sheets have a ratio of 10, or of 50
/// if they are repetitive.
const MAX_RATIO: u64 = 100;

/// The maximum number of XML elements of all parts together: a million rows of eighteen cells have fewer.
const MAX_ELEMENTS: u64 = 40_000_000;

/// The maximum number of rows of a sheet: Excel's own limit is 1,048,576.
const MAX_ROWS: u64 = 1 << 20;

/// The maximum size of a part that is not XML (pictures), in bytes.
const MAX_BINARY: u64 = 16 << 20;

/// The maximum size of a tag with its attributes, in bytes.
const MAX_TAG: usize = 1 << 16;

/// The maximum memory that calamine would keep, in bytes, as estimated here: three million shared strings need less.
const MAX_MEMORY: u64 = 200 << 20;

/// The estimated memory of an element, in bytes, without its texts.
const ELEMENT: u64 = 64;

/// The estimated memory of a cell style, in bytes, without the texts that are copied into it.
const STYLE: u64 = 768;

const BOMB: ListError = ListError::NotText(UnsupportedFormat::Bomb);

/// Refuses a workbook that unpacks to more than a list can have.
pub(super) fn refuse_bomb(origin: &ListOrigin) -> Result<(), ListError> {
    let limit = origin.size()?.saturating_mul(MAX_RATIO).saturating_add(4 << 20).min(MAX_UNPACKED);
    // Calamine reports any other fault of the archive.
    let Ok(mut archive) = ZipArchive::new(origin.bytes()?) else { return Ok(()) };
    let mut totals = ArchiveTotals { left: limit, ..ArchiveTotals::default() };
    for at in 0..archive.len() {
        totals.scan_part(&mut archive, at)?;
    }
    let reread = totals.sheets.saturating_mul(totals.largest);
    if totals.memory() > MAX_MEMORY || reread > MAX_UNPACKED.saturating_add(2 * (limit - totals.left)) {
        return Err(BOMB);
    }
    Ok(())
}

/// What has been counted so far.
#[derive(Default)]
struct ArchiveTotals {
    /// The bytes that may still be unpacked.
    left: u64,
    /// The size of the largest part, in bytes.
    largest: u64,
    /// The entries of the workbook's sheet directory. Each may point to the largest part.
    sheets: u64,
    elements: u64,
    /// The rows of the current part.
    rows: u64,
    /// The estimated memory without styles, in bytes.
    memory: u64,
    styles: u64,
    /// The longest text that is copied into every style, in bytes.
    longest_style_text: u64,
}

/// The element whose text the scan is in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum TextContext {
    /// A cell, a shared string or another element whose texts are joined; `is_kept` if calamine keeps them in memory.
    Joined { is_kept: bool, bytes: u64 },
    /// Any other element: each text between two tags counts separately.
    Separate { bytes: u64 },
}

impl ArchiveTotals {
    fn memory(&self) -> u64 {
        self.memory.saturating_add(self.styles.saturating_mul(STYLE + 2 * self.longest_style_text))
    }

    fn scan_part(&mut self, archive: &mut ZipArchive<ListBytes>, at: usize) -> Result<(), ListError> {
        let part = archive.by_index(at).map_err(|_| ListError::Damaged)?;
        let name = part.name().map_err(|_| ListError::Damaged)?.to_ascii_lowercase();
        let before = self.left;
        let mut text = BufReader::with_capacity(1 << 16, part.take(self.left + 1));
        let start = text.fill_buf().map_err(|_| ListError::Damaged)?;
        if start.starts_with(b"\xFF\xFE")
            || start.starts_with(b"\xFE\xFF")
            || start.iter().take(4).any(|byte| *byte == 0)
        {
            // This scan cannot read XML in UTF-16, but calamine could.
            let is_xml = is_xml_name(&name) || start.iter().take(4).any(|byte| *byte == b'<');
            return if is_xml { Err(ListError::Damaged) } else { self.scan_binary(text) };
        }
        let start = start.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(start).trim_ascii_start();
        if is_xml_name(&name) || start.first() == Some(&b'<') {
            self.scan_xml(text)?;
        } else {
            self.scan_binary(text)?;
        }
        self.largest = self.largest.max(before - self.left);
        Ok(())
    }

    fn scan_binary(&mut self, mut part: impl Read) -> Result<(), ListError> {
        let mut bounded = part.by_ref().take(MAX_BINARY.min(self.left) + 1);
        let size = std::io::copy(&mut bounded, &mut std::io::sink()).map_err(|_| ListError::Damaged)?;
        if size > MAX_BINARY { Err(BOMB) } else { self.count_bytes(size) }
    }

    fn count_bytes(&mut self, bytes: u64) -> Result<(), ListError> {
        self.left = self.left.checked_sub(bytes).ok_or(BOMB)?;
        Ok(())
    }

    fn scan_xml(&mut self, mut part: impl BufRead) -> Result<(), ListError> {
        self.rows = 0;
        let mut scan = XmlScan {
            position: XmlPosition::Text,
            context: TextContext::Separate { bytes: 0 },
            tag: Vec::new(),
            scanned: 0,
            quote: None,
        };
        loop {
            let chunk = part.fill_buf().map_err(|_| ListError::Damaged)?;
            if chunk.is_empty() {
                return Ok(());
            }
            let length = chunk.len();
            self.count_bytes(length as u64)?;
            self.scan_chunk(chunk, &mut scan)?;
            part.consume(length);
        }
    }

    /// Continues the scan of an XML part with its next bytes.
    fn scan_chunk(&mut self, mut rest: &[u8], scan: &mut XmlScan) -> Result<(), ListError> {
        while !rest.is_empty() {
            let end = if scan.position == XmlPosition::Text { b'<' } else { b'>' };
            let found = rest.iter().position(|byte| *byte == end);
            let (piece, after) = rest.split_at(found.unwrap_or(rest.len()));
            rest = after.get(1..).unwrap_or_default();
            if scan.position == XmlPosition::Text {
                self.count_text(&mut scan.context, piece.len())?;
                if found.is_some() {
                    scan.position = XmlPosition::Tag;
                }
                continue;
            }
            scan.tag.extend_from_slice(piece);
            let limit = if scan.tag.starts_with(b"!") { MAX_ROW_BYTES } else { MAX_TAG };
            if scan.tag.len() > limit {
                return Err(BOMB);
            }
            if found.is_none() {
            } else if scan.is_complete() {
                self.on_markup(&scan.tag, &mut scan.context)?;
                (scan.position, scan.scanned, scan.quote) = (XmlPosition::Text, 0, None);
                scan.tag.clear();
            } else {
                scan.tag.push(b'>');
            }
        }
        Ok(())
    }

    /// Counts the markup between `<` and `>`.
    fn on_markup(&mut self, tag: &[u8], context: &mut TextContext) -> Result<(), ListError> {
        match tag {
            [b'!', b'-' | b'[', ..] => self.count_text(context, tag.len()),
            // A document type may define recursive entities; no spreadsheet writes one.
            [b'!', ..] => Err(ListError::Damaged),
            [b'?', ..] => Ok(()),
            [b'/', end @ ..] => {
                if matches!(local_name(end), b"c" | b"si" | b"definedName") {
                    *context = TextContext::Separate { bytes: 0 };
                }
                Ok(())
            }
            _ => self.on_start_tag(tag, context),
        }
    }

    /// Counts text between tags.
    fn count_text(&mut self, context: &mut TextContext, length: usize) -> Result<(), ListError> {
        let length = length as u64;
        let (bytes, is_kept) = match context {
            TextContext::Joined { is_kept, bytes } => (bytes, *is_kept),
            TextContext::Separate { bytes } => (bytes, false),
        };
        *bytes += length;
        self.memory += if is_kept { length } else { 0 };
        if *bytes > MAX_ROW_BYTES as u64 { Err(BOMB) } else { Ok(()) }
    }

    /// Counts the start tag of an element.
    fn on_start_tag(&mut self, tag: &[u8], context: &mut TextContext) -> Result<(), ListError> {
        let length = tag.len() as u64;
        self.elements += 1;
        let name = local_name(tag);
        if matches!(name, b"c" | b"row" | b"dimension" | b"mergeCell") && !has_valid_cells(tag) {
            return Err(ListError::Damaged);
        }
        match name {
            b"c" => *context = TextContext::Joined { is_kept: false, bytes: 0 },
            b"row" => self.rows += 1,
            b"si" => {
                *context = TextContext::Joined { is_kept: true, bytes: 0 };
                self.memory += ELEMENT;
            }
            // Calamine allocates the declared number of strings at once.
            b"sst" if declared_strings(tag) > MAX_MEMORY / ELEMENT => return Err(BOMB),
            b"xf" => self.styles += 1,
            b"sheet" => {
                self.sheets += 1;
                self.memory += 4 * ELEMENT + length;
            }
            b"name" | b"numFmt" => {
                self.longest_style_text = self.longest_style_text.max(length);
                self.memory += ELEMENT + length;
            }
            b"font" | b"fill" | b"border" | b"Relationship" => self.memory += 4 * ELEMENT + length,
            b"definedName" => {
                self.memory += 2 * ELEMENT + length;
                *context = TextContext::Joined { is_kept: true, bytes: 0 };
            }
            _ => {}
        }
        if let TextContext::Separate { bytes } = context {
            *bytes = 0;
        }
        let is_too_much = self.memory() > MAX_MEMORY || self.elements > MAX_ELEMENTS || self.rows > MAX_ROWS;
        if is_too_much { Err(BOMB) } else { Ok(()) }
    }
}

/// The state of the scan of an XML part.
struct XmlScan {
    position: XmlPosition,
    context: TextContext,
    /// The bytes of the current tag so far.
    tag: Vec<u8>,
    /// The number of bytes of `tag` that have been searched for quotes.
    scanned: usize,
    /// The quote that is open at `scanned`: an attribute's value may contain a `>`.
    quote: Option<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum XmlPosition {
    Text,
    Tag,
}

impl XmlScan {
    /// Whether the `>` after `tag` ends the markup.
    fn is_complete(&mut self) -> bool {
        let tag = &self.tag;
        match tag.as_slice() {
            [b'!', b'-', ..] => tag.len() >= 5 && tag.ends_with(b"--"),
            [b'!', b'[', ..] => tag.ends_with(b"]]"),
            [b'?', ..] => tag.len() >= 2 && tag.ends_with(b"?"),
            [b'!' | b'/', ..] => true,
            _ => {
                self.quote = open_quote(self.quote, &tag[self.scanned..]);
                self.scanned = tag.len();
                self.quote.is_none()
            }
        }
    }
}

fn is_xml_name(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, kind)| matches!(kind, "xml" | "rels"))
}

/// An element's name, without its namespace.
fn local_name(tag: &[u8]) -> &[u8] {
    let end = tag.iter().position(|byte| byte.is_ascii_whitespace() || *byte == b'/').unwrap_or(tag.len());
    let name = &tag[..end];
    name.iter().position(|byte| *byte == b':').map_or(name, |at| &name[at + 1..])
}

/// The quote that is open after a piece of a tag, given the one that was open before it.
fn open_quote(before: Option<u8>, piece: &[u8]) -> Option<u8> {
    let open = |open: Option<u8>, byte: &u8| match (open, byte) {
        (None, b'"' | b'\'') => Some(*byte),
        (Some(quote), byte) if quote == *byte => None,
        (open, _) => open,
    };
    piece.iter().fold(before, open)
}

/// Whether the cells that an element names (`r="B7"`, `r="7"`, `ref="A1:C9"`) can exist in a sheet: at most three
/// letters and seven digits. Calamine does not check cell names and fails on others.
fn has_valid_cells(tag: &[u8]) -> bool {
    attributes(tag).filter(|(name, _)| matches!(*name, b"r" | b"ref")).all(|(_, value)| {
        value.split(|byte| *byte == b':').all(|cell| {
            let letters = cell.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
            let digits = &cell[letters..];
            letters <= 3 && digits.len() <= 7 && digits.iter().all(u8::is_ascii_digit)
        })
    })
}

/// The attributes of a tag: names and raw values.
fn attributes(tag: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = tag;
    std::iter::from_fn(move || {
        let equals = rest.iter().position(|byte| *byte == b'=')?;
        let name = rest[..equals].trim_ascii_end();
        let name = name.rsplit(u8::is_ascii_whitespace).next().unwrap_or(name);
        let value = rest[equals + 1..].trim_ascii_start();
        let (quote, value) = value.split_first()?;
        let end = value.iter().position(|byte| byte == quote)?;
        rest = &value[end + 1..];
        Some((name, &value[..end]))
    })
}

/// The number of shared strings that a workbook declares.
fn declared_strings(tag: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(tag);
    let counts = text.split("uniqueCount").skip(1);
    let digits = counts.map(|count| {
        let value = count.trim_start_matches(|c: char| !c.is_ascii_digit());
        value
            .bytes()
            .take_while(u8::is_ascii_digit)
            .fold(0_u64, |number, digit| number.saturating_mul(10).saturating_add(u64::from(digit - b'0')))
    });
    digits.max().unwrap_or(0)
}
