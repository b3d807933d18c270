//! Which rows of a sheet of an Excel workbook (`.xlsx`) are hidden, by a filter or by hand, and which have a formula whose
//! result was not saved. (calamine does not say.)

use std::collections::{HashMap, HashSet};
use std::io::BufReader;

use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::{BytesStart, Event};
use zip::ZipArchive;

use super::row::{RowFault, RowPlace};
use super::source::{ListBytes, ListOrigin};
use crate::intake::error::ListError;

/// Rows of a sheet, by their numbers, counted from 1.
#[derive(Debug, Default)]
pub(super) struct SheetRows {
    hidden: HashSet<u64>,
    /// Rows with a formula that has no result: the program that wrote the workbook does not calculate.
    unsolved: HashSet<u64>,
    /// Rows of which every cell with a text is struck through.
    struck: HashSet<u64>,
    /// Rows that share a cell with the row above.
    merged: HashSet<u64>,
    /// The styles of struck texts.
    struck_styles: HashSet<String>,
    /// The cells of the row: with a text, and of these the struck ones.
    filled: (u32, u32),
    /// The row that is being read.
    row: u64,
    cell: SheetCell,
}

/// The most rows that are noted as merged: more than any list has by hand.
const MAX_MERGED: u64 = 1 << 20;

/// What has been seen of a cell.
#[derive(Debug, Default, Clone, Copy)]
#[allow(clippy::struct_excessive_bools, reason = "each is seen, or not, on the way through the cell")]
struct SheetCell {
    has_formula: bool,
    in_value: bool,
    has_result: bool,
    has_text: bool,
    is_struck: bool,
}

impl SheetRows {
    /// The rows of the sheet with this name. None if the sheet's part is not found, which calamine reports.
    pub(super) fn read(origin: &ListOrigin, sheet: &str) -> Result<Self, ListError> {
        let mut archive = ZipArchive::new(origin.bytes()?).map_err(|_| ListError::Damaged)?;
        let mut rows = Self { struck_styles: struck_styles(&mut archive)?, ..Self::default() };
        let Some(part) = sheet_part(&mut archive, sheet)? else { return Ok(rows) };
        for_each_event(&mut archive, &part, |event| rows.add(event))?;
        Ok(rows)
    }

    /// The place of the row with this number.
    pub(super) fn place(&self, line: u64) -> RowPlace {
        let faults = [
            (&self.unsolved, RowFault::NoFormulaResult),
            (&self.struck, RowFault::StruckThrough),
            (&self.merged, RowFault::MergedCells),
        ];
        let fault = faults.into_iter().find(|(rows, _)| rows.contains(&line)).map(|(_, fault)| fault);
        RowPlace { line, is_hidden: self.hidden.contains(&line), fault }
    }

    fn add(&mut self, event: &Event<'_>) {
        #[allow(clippy::wildcard_enum_match_arm, reason = "nothing else matters in a sheet")]
        match event {
            Event::Start(tag) | Event::Empty(tag) => self.on_tag(tag),
            Event::Text(text) => {
                self.cell.has_result |= self.cell.in_value && !text.is_empty();
                self.cell.has_text |= !text.is_empty();
            }
            Event::End(tag) if tag.local_name().as_ref() == "v" => self.cell.in_value = false,
            Event::End(tag) if tag.local_name().as_ref() == "c" => {
                if self.cell.has_formula && !self.cell.has_result {
                    self.unsolved.insert(self.row);
                }
                self.filled.0 += u32::from(self.cell.has_text);
                self.filled.1 += u32::from(self.cell.has_text && self.cell.is_struck);
                self.cell = SheetCell::default();
            }
            Event::End(tag) if tag.local_name().as_ref() == "row" => {
                let (filled, struck) = std::mem::take(&mut self.filled);
                if filled > 1 && filled == struck {
                    self.struck.insert(self.row);
                }
            }
            _ => {}
        }
    }

    fn on_tag(&mut self, tag: &BytesStart<'_>) {
        match tag.local_name().as_ref() {
            "row" => self.on_row(tag),
            // The result of a formula may be an empty text.
            "c" => {
                let is_text = attribute(tag, "t").is_some_and(|kind| kind == "str");
                let is_struck = attribute(tag, "s").is_some_and(|style| self.struck_styles.contains(&style));
                self.cell = SheetCell { has_result: is_text, is_struck, ..SheetCell::default() };
            }
            "f" => self.cell.has_formula = true,
            "v" => self.cell.in_value = true,
            "mergeCell" => self.on_merged(tag),
            _ => {}
        }
    }

    /// Notes the rows below the first one of cells that are merged downwards.
    fn on_merged(&mut self, tag: &BytesStart<'_>) {
        let row = |cell: &str| cell.trim_start_matches(|c: char| !c.is_ascii_digit()).parse::<u64>().ok();
        let place = attribute(tag, "ref");
        let ends = place.as_deref().and_then(|place| place.split_once(':'));
        let Some((first, last)) = ends.and_then(|(first, last)| Some((row(first)?, row(last)?))) else { return };
        let room = MAX_MERGED.saturating_sub(self.merged.len() as u64);
        self.merged.extend((first + 1..=last).take(room as usize));
    }

    fn on_row(&mut self, tag: &BytesStart<'_>) {
        self.row = attribute(tag, "r").and_then(|number| number.parse().ok()).unwrap_or(self.row + 1);
        let is_flat = || attribute(tag, "ht").and_then(|height| height.parse::<f64>().ok()) == Some(0.0);
        if attribute(tag, "hidden").is_some_and(|hidden| hidden == "1" || hidden == "true") || is_flat() {
            self.hidden.insert(self.row);
        }
    }
}

/// The numbers of the styles whose font is struck through.
fn struck_styles(archive: &mut ZipArchive<ListBytes>) -> Result<HashSet<String>, ListError> {
    let mut styles = HashSet::new();
    let Some(part) = part_named(archive, |name| name.ends_with("styles.xml")) else { return Ok(styles) };
    let (mut fonts, mut is_in, mut style) = (Vec::new(), "", 0);
    for_each_tag(archive, &part, |tag| match tag.local_name().as_ref() {
        "fonts" => is_in = "fonts",
        "fills" | "cellStyles" => is_in = "",
        "cellXfs" => is_in = "cellXfs",
        "font" if is_in == "fonts" => fonts.push(false),
        "strike" if is_in == "fonts" => {
            let is_off = attribute(tag, "val").is_some_and(|val| val == "0" || val == "false");
            if let Some(last) = fonts.last_mut() {
                *last = !is_off;
            }
        }
        "xf" if is_in == "cellXfs" => {
            let font = attribute(tag, "fontId").and_then(|font| font.parse::<usize>().ok());
            if font.and_then(|font| fonts.get(font)) == Some(&true) {
                styles.insert(style.to_string());
            }
            style += 1;
        }
        _ => {}
    })?;
    Ok(styles)
}

/// The part of the archive that holds the sheet.
fn sheet_part(archive: &mut ZipArchive<ListBytes>, sheet: &str) -> Result<Option<String>, ListError> {
    let Some(book) = part_named(archive, |name| name.ends_with("workbook.xml")) else { return Ok(None) };
    let Some(folder) = book.get(..book.len() - "workbook.xml".len()) else { return Ok(None) };
    let relations = format!("{folder}_rels/workbook.xml.rels").to_lowercase();
    let Some(relations) = part_named(archive, |name| name == relations) else { return Ok(None) };
    let mut id = None;
    for_each_tag(archive, &book, |tag| {
        if tag.local_name().as_ref() == "sheet" && attribute(tag, "name").as_deref() == Some(sheet) {
            id = attribute(tag, "id");
        }
    })?;
    let mut targets = HashMap::new();
    for_each_tag(archive, &relations, |tag| {
        targets.extend(attribute(tag, "Id").zip(attribute(tag, "Target")));
    })?;
    let target = id.and_then(|id| targets.remove(&id));
    let path = target.map(|target| match target.strip_prefix('/') {
        Some(whole) => whole.to_lowercase(),
        None => format!("{folder}{target}").to_lowercase(),
    });
    Ok(path.and_then(|path| part_named(archive, |name| name == path)))
}

/// The name of the part that the test accepts: names are compared without case, and with `/`.
fn part_named(archive: &ZipArchive<ListBytes>, is_wanted: impl Fn(&str) -> bool) -> Option<String> {
    let names = archive.file_names().filter_map(Result::ok);
    names.map(|name| name.to_string()).find(|name| is_wanted(&name.to_lowercase().replace('\\', "/")))
}

fn for_each_tag(
    archive: &mut ZipArchive<ListBytes>,
    part: &str,
    mut on_tag: impl FnMut(&BytesStart<'_>),
) -> Result<(), ListError> {
    for_each_event(archive, part, |event| {
        if let Event::Start(tag) | Event::Empty(tag) = event {
            on_tag(tag);
        }
    })
}

fn for_each_event(
    archive: &mut ZipArchive<ListBytes>,
    part: &str,
    mut on_event: impl FnMut(&Event<'_>),
) -> Result<(), ListError> {
    let content = archive.by_name(part).map_err(|_| ListError::Damaged)?;
    let mut reader = Reader::from_reader(BufReader::new(content));
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        let event = reader.read_event_into(&mut buffer).map_err(|_| ListError::Damaged)?;
        on_event(&event);
        if matches!(event, Event::Eof) {
            return Ok(());
        }
    }
}

/// The unescaped value of the attribute with this local name.
fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut attributes = tag.attributes().filter_map(Result::ok);
    let found = attributes.find(|attribute| attribute.key.local_name().as_ref() == name)?;
    Some(unescape(&found.value).ok()?.into_owned())
}
