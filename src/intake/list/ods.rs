//! `OpenDocument` spreadsheets (`.ods`): converts one sheet to CSV, cell by cell. Repeated rows and cells are expanded as
//! they are written, so that a sheet is never in memory. (calamine's reader would hold all of it.)

use std::collections::HashSet;
use std::io::BufReader;

use quick_xml::Reader;
use quick_xml::escape::{resolve_xml_entity, unescape};
use quick_xml::events::{BytesRef, BytesStart, Event};
use zip::ZipArchive;

use super::archive;
use super::csv_spool::spool_csv;
use super::expectations::IsKnown;
use super::limits::{MAX_COLUMNS, MAX_ROW_BYTES};
use super::row::{RowFault, RowPlace};
use super::sheet_choice::{ChosenSheet, OnRow, RowCells, SpooledSheet, list_sheet};
use super::source::{ListBytes, ListOrigin};
use crate::intake::error::{ListError, UnsupportedFormat};

/// The maximum number of rows of a sheet: the limit of spreadsheet programs.
const MAX_ROWS: u64 = 1 << 20;

/// The maximum number of bytes that reading the start of every sheet may take.
const MAX_READ: u64 = 4 << 30;

type ContentReader<R> = Reader<BufReader<R>>;

/// Converts the sheet that holds the list to CSV.
pub(super) fn to_csv(origin: &ListOrigin, is_known: IsKnown<'_>) -> Result<SpooledSheet, ListError> {
    archive::refuse_bomb(origin)?;
    let mut archive = ZipArchive::new(origin.bytes()?).map_err(|_| ListError::Damaged)?;
    if is_locked(&mut archive)? {
        return Err(ListError::NotText(UnsupportedFormat::Locked));
    }
    let sheets = visible_sheets(&mut archive)?;
    let ChosenSheet { sheet, titles } =
        list_sheet(&sheets, is_known, |sheet, on_row| for_each_row(&mut archive, *sheet, on_row))?;
    let origin = spool_csv(origin.modified(), |rows| {
        for_each_row(&mut archive, sheet, &mut |place, cells| rows.write_row(place, cells).map(|()| true))
    })?;
    Ok(SpooledSheet { origin, titles })
}

fn is_locked(archive: &mut ZipArchive<ListBytes>) -> Result<bool, ListError> {
    let Ok(manifest) = archive.by_name("META-INF/manifest.xml") else { return Ok(false) };
    let mut reader = Reader::from_reader(BufReader::new(manifest));
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        let event = reader.read_event_into(&mut buffer).map_err(|_| ListError::Damaged)?;
        if matches!(&event, Event::Start(tag) | Event::Empty(tag) if tag.local_name().as_ref() == "encryption-data") {
            return Ok(true);
        }
        if matches!(event, Event::Eof) {
            return Ok(false);
        }
    }
}

/// Calls `on_event` with each event of the content, until it returns `false`. Returns the number of bytes read.
fn for_each_event(
    archive: &mut ZipArchive<ListBytes>,
    mut on_event: impl FnMut(Event<'_>) -> Result<bool, ListError>,
) -> Result<u64, ListError> {
    let content = archive.by_name("content.xml").map_err(|_| ListError::Damaged)?;
    let mut reader: ContentReader<_> = Reader::from_reader(BufReader::new(content));
    reader.config_mut().expand_empty_elements = true;
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        let event = reader.read_event_into(&mut buffer).map_err(|_| ListError::Damaged)?;
        if matches!(event, Event::Eof) || !on_event(event)? {
            return Ok(reader.buffer_position());
        }
    }
}

/// The positions and names of the sheets that are not hidden.
fn visible_sheets(archive: &mut ZipArchive<ListBytes>) -> Result<Vec<(usize, String)>, ListError> {
    let (mut style, mut hidden, mut sheets, mut at) = (String::new(), HashSet::new(), Vec::new(), 0);
    let bytes = for_each_event(archive, |event| {
        if let Event::Start(tag) = event {
            match tag.name().as_ref() {
                "style:style" => style = attribute(&tag, "style:name"),
                "style:table-properties" if attribute(&tag, "table:display") == "false" => {
                    hidden.insert(style.clone());
                }
                "table:table" => {
                    if !hidden.contains(&attribute(&tag, "table:style-name")) {
                        sheets.push((at, attribute(&tag, "table:name")));
                    }
                    at += 1;
                }
                _ => {}
            }
        }
        Ok(true)
    })?;
    // Each of them is read from the start of the content.
    if bytes.saturating_mul(sheets.len() as u64) > MAX_READ {
        return Err(ListError::NotText(UnsupportedFormat::Bomb));
    }
    Ok(sheets)
}

/// The unescaped value of an attribute; empty if there is none.
fn attribute(tag: &BytesStart<'_>, name: &str) -> String {
    let found = tag.try_get_attribute(name).ok().flatten();
    found.and_then(|attribute| Some(unescape(&attribute.value).ok()?.into_owned())).unwrap_or_default()
}

/// How often a row or a cell is repeated.
fn repeats(tag: &BytesStart<'_>, name: &str) -> u64 {
    attribute(tag, name).parse().unwrap_or(1)
}

/// Calls `on_row` with the rows of the sheet at position `sheet`.
fn for_each_row(archive: &mut ZipArchive<ListBytes>, sheet: usize, on_row: &mut OnRow<'_>) -> Result<(), ListError> {
    let mut scan = SheetScan { before: sheet + 1, ..SheetScan::default() };
    for_each_event(archive, |event| match event {
        Event::Start(tag) => scan.on_start(&tag),
        Event::End(tag) => scan.on_end(tag.name().as_ref(), on_row),
        Event::Text(text) => scan.add_text(&text.xml10_content()),
        Event::CData(text) => scan.add_text(&text.xml10_content()),
        Event::GeneralRef(entity) => scan.add_text(&resolved(&entity)?),
        Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) | Event::Eof => {
            Ok(true)
        }
    })
    .map(|_| ())
}

fn resolved(entity: &BytesRef<'_>) -> Result<String, ListError> {
    if let Some(text) = resolve_xml_entity(&entity.xml10_content()) {
        return Ok(text.to_owned());
    }
    let character = entity.resolve_char_ref().map_err(|_| ListError::Damaged)?;
    character.map(String::from).ok_or(ListError::Damaged)
}

/// The state of the scan of one sheet.
#[derive(Default)]
#[allow(clippy::struct_excessive_bools, reason = "the state of a scan, in which nearly all combinations occur")]
struct SheetScan {
    /// The number of tables that still have to begin; 0 in the wanted one.
    before: usize,
    /// The number of tables inside each other.
    depth: usize,
    line: u64,
    row_repeats: u64,
    /// Whether a filter, or a person, hides the row.
    is_hidden: bool,
    /// Whether the row has a formula without a result, and whether the cell is one.
    lacks_result: bool,
    is_unsolved: bool,
    /// The last line that cells are merged into: of the rows up to this one, and of those above it.
    merged_until: u64,
    merged_above: u64,
    row: RowCells,
    column: u64,
    cell_repeats: u64,
    /// The value that the cell's attributes give.
    value: Option<String>,
    /// The paragraphs of the cell.
    text: String,
    paragraphs: usize,
    in_paragraph: bool,
    in_note: bool,
    rows: u64,
}

impl SheetScan {
    fn is_wanted(&self) -> bool {
        self.before == 0 && self.depth == 1
    }

    fn on_start(&mut self, tag: &BytesStart<'_>) -> Result<bool, ListError> {
        let name = tag.name();
        if name.as_ref() == "table:table" {
            self.depth += 1;
            self.before = self.before.saturating_sub(1);
            return Ok(true);
        }
        if !self.is_wanted() {
            return Ok(true);
        }
        match name.as_ref() {
            "table:table-row" => {
                self.row_repeats = repeats(tag, "table:number-rows-repeated");
                self.is_hidden = matches!(attribute(tag, "table:visibility").as_str(), "filter" | "collapse");
                self.column = 0;
                self.lacks_result = false;
            }
            "table:table-cell" | "table:covered-table-cell" => {
                self.cell_repeats = repeats(tag, "table:number-columns-repeated");
                self.value = cell_value(tag);
                let spanned = repeats(tag, "table:number-rows-spanned");
                if spanned > 1 {
                    self.merged_until = self.merged_until.max(self.line.saturating_add(spanned));
                }
                self.is_unsolved =
                    attribute(tag, "office:value-type").is_empty() && !attribute(tag, "table:formula").is_empty();
                self.text.clear();
                self.paragraphs = 0;
            }
            "office:annotation" => self.in_note = true,
            "text:p" if !self.in_note => {
                self.in_paragraph = true;
                if self.paragraphs > 0 {
                    self.text.push('\n');
                }
                self.paragraphs += 1;
            }
            "text:s" => {
                let spaces = repeats(tag, "text:c").min(100) as usize;
                return self.add_text(&" ".repeat(spaces));
            }
            "text:tab" => return self.add_text("\t"),
            "text:line-break" => return self.add_text("\n"),
            _ => {}
        }
        Ok(true)
    }

    fn add_text(&mut self, text: &str) -> Result<bool, ListError> {
        if self.is_wanted() && self.in_paragraph && !self.in_note {
            self.text.push_str(text);
            if self.text.len() > MAX_ROW_BYTES {
                return Err(ListError::TooLong { line: self.line + 1 });
            }
        }
        Ok(true)
    }

    fn on_end(&mut self, name: &str, on_row: &mut OnRow<'_>) -> Result<bool, ListError> {
        match name {
            "table:table" => {
                let was_wanted = self.is_wanted();
                self.depth = self.depth.saturating_sub(1);
                return Ok(!was_wanted);
            }
            "office:annotation" => self.in_note = false,
            "text:p" if !self.in_note => self.in_paragraph = false,
            "table:table-cell" | "table:covered-table-cell" if self.is_wanted() => self.end_cell()?,
            "table:table-row" if self.is_wanted() => return self.end_row(on_row),
            _ => {}
        }
        Ok(true)
    }

    fn end_cell(&mut self) -> Result<(), ListError> {
        let text = self.value.take().unwrap_or_else(|| std::mem::take(&mut self.text));
        let end = self.column.saturating_add(self.cell_repeats);
        self.lacks_result |= std::mem::take(&mut self.is_unsolved) && text.is_empty();
        if !text.is_empty() {
            for column in self.column..end.min(MAX_COLUMNS as u64 + 1) {
                self.row.set(self.line + 1, column as usize, text.clone())?;
            }
        }
        self.column = end;
        Ok(())
    }

    fn end_row(&mut self, on_row: &mut OnRow<'_>) -> Result<bool, ListError> {
        let cells = self.row.take();
        let first = self.line + 1;
        self.line = self.line.saturating_add(self.row_repeats);
        if cells.is_empty() {
            return Ok(true);
        }
        self.rows = self.rows.saturating_add(self.row_repeats);
        if self.rows > MAX_ROWS {
            return Err(ListError::NotText(UnsupportedFormat::Bomb));
        }
        let is_merged = first <= std::mem::replace(&mut self.merged_above, self.merged_until);
        let fault = match () {
            () if std::mem::take(&mut self.lacks_result) => Some(RowFault::NoFormulaResult),
            () if is_merged => Some(RowFault::MergedCells),
            () => None,
        };
        for line in first..=self.line {
            if !on_row(RowPlace { line, is_hidden: self.is_hidden, fault }, &cells)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The value that a cell's attributes give; `None` if its text is the value.
fn cell_value(tag: &BytesStart<'_>) -> Option<String> {
    let value = |name: &str| Some(attribute(tag, name)).filter(|value| !value.is_empty());
    match attribute(tag, "office:value-type").as_str() {
        "float" | "percentage" | "currency" => value("office:value"),
        "date" => value("office:date-value").map(|date| date.trim_end_matches("T00:00:00").to_owned()),
        "time" => value("office:time-value").map(|time| clock_time(&time)),
        "boolean" => value("office:boolean-value").map(|yes| yes.to_uppercase()),
        _ => value("office:string-value"),
    }
}

/// `PT09H30M00S` as `09:30:00`.
fn clock_time(duration: &str) -> String {
    let digits = duration.strip_prefix("PT").map(|time| time.replace(['H', 'M'], ":").replace('S', ""));
    match digits {
        Some(time) if time.split(':').count() == 3 => time.split('.').next().unwrap_or_default().to_owned(),
        _ => duration.to_owned(),
    }
}
