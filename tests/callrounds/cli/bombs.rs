//! Hostile or huge lists (zip bombs, endless rows and cells): each is refused with one clear line, quickly and in little
//! memory. The tests measure the real binary.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::process::Stdio;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::support::harness::{Practice, ProgramOutput, recall};
use crate::support::vendor::MORNING;

/// Processor time that a check may take.
const LONGEST: Duration = Duration::from_secs(10);
/// The unit of times in `/proc`, which Linux fixes.
const TICKS_A_SECOND: u64 = 100;
/// Resident memory that a check may take, in KiB.
const MOST_KIB: u64 = 300 << 10;

fn practice() -> Practice {
    let rest = format!("[calling]\nconsent = \"on_file\"\n[vendor]\nkind = \"simulator\"\nstart = \"{MORNING}\"\n");
    Practice::with(&recall(&rest), "")
}

/// A process's processor time, which does not depend on the machine's load.
fn processor_time_of(process: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let ticks: Vec<i64> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().flat_map(str::parse).collect();
    // After the name: the state (not a number), ten numbers, then the user and the system ticks.
    let ticks: i64 = ticks.get(10..12).unwrap_or_default().iter().sum();
    Duration::from_millis(ticks.unsigned_abs() * 1_000 / TICKS_A_SECOND)
}

/// Runs `check` on a list; returns its output and its peak memory in KiB.
fn checked(practice: &Practice, list: &str) -> (ProgramOutput, u64) {
    let mut command = practice.command(&["check", "campaigns/recall.toml", "--list", list]);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program");
    let status = format!("/proc/{}/status", child.id());
    let (since, mut peak, mut worked) = (Instant::now(), 0, Duration::ZERO);
    while child.try_wait().expect("its state").is_none() {
        let now = fs::read_to_string(&status).unwrap_or_default();
        let line =
            now.lines().find_map(|line| line.strip_prefix("VmHWM:")).and_then(|line| line.split_whitespace().next());
        peak = line.and_then(|kib| kib.parse().ok()).unwrap_or(0).max(peak);
        worked = processor_time_of(child.id()).max(worked);
        assert!(worked < LONGEST && since.elapsed() < LONGEST * 12, "{list} takes too long");
        std::thread::sleep(Duration::from_millis(2));
    }
    assert!(worked < LONGEST, "{list}: {worked:?}");
    assert!(peak < MOST_KIB, "{list}: {peak} KiB");
    (ProgramOutput::new(&child.wait_with_output().expect("ended")), peak)
}

/// Checks that the list is refused with one line that contains `expected`.
fn refused(practice: &Practice, list: &str, expected: &str) {
    let (ended, _) = checked(practice, list);
    assert_eq!(ended.code, 3, "{list}: {ended:?}");
    let lines: Vec<_> = ended.stderr.lines().collect();
    assert!(lines.len() == 1 && lines[0].contains(expected), "{list}: {expected}: {ended:?}");
    assert!(ended.stderr.len() < 1_000, "{list}: {ended:?}");
}

const UNPACKS: &str = "unpacks to more than any list would";

type Sink<'w> = &'w mut dyn Write;

/// A zip part's name, and what writes its content.
type Part<'p> = (&'p str, &'p dyn Fn(Sink<'_>));

/// The same, after the name of the test case.
type Bomb<'b> = (&'b str, &'b str, &'b dyn Fn(Sink<'_>));

/// Writes a workbook that names `sheets` sheets; `parts` replace or extend its ordinary parts.
fn workbook(practice: &Practice, name: &str, parts: &[Part<'_>], sheets: usize) {
    let mut zip = ZipWriter::new(BufWriter::new(File::create(practice.path(name)).expect("a file")));
    let options = SimpleFileOptions::default().compression_level(Some(6)).large_file(true);
    let mut directory = String::new();
    for sheet in 1..=sheets {
        directory += &format!("<sheet name=\"s{sheet}\" sheetId=\"{sheet}\" r:id=\"rId1\"/>");
    }
    let directory = format!(
        "<workbook xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"><sheets>{directory}\
         </sheets></workbook>"
    );
    let relations = "<Relationships><Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/\
                     relationships/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>";
    let fixed = [
        ("[Content_Types].xml", "<Types/>"),
        (
            "_rels/.rels",
            "<Relationships><Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/\
             relationships/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>",
        ),
        ("xl/workbook.xml", directory.as_str()),
        ("xl/_rels/workbook.xml.rels", relations),
        ("xl/worksheets/sheet1.xml", SHEET),
    ];
    for (part, text) in fixed {
        if parts.iter().all(|(own, _)| *own != part) {
            zip.start_file(part, options).expect("a part");
            zip.write_all(text.as_bytes()).expect("written");
        }
    }
    for (part, write) in parts {
        zip.start_file(*part, options).expect("a part");
        write(&mut zip);
    }
    zip.finish().expect("a workbook");
}

const SHEET: &str = "<worksheet><sheetData>\
    <row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>patient_id</t></is></c><c r=\"B1\" t=\"inlineStr\"><is><t>first_name</t></is></c>\
    <c r=\"C1\" t=\"inlineStr\"><is><t>phone</t></is></c></row>\
    <row r=\"2\"><c r=\"A2\"><v>1</v></c><c r=\"B2\" t=\"inlineStr\"><is><t>Ana</t></is></c>\
    <c r=\"C2\"><v>7735550110</v></c></row></sheetData></worksheet>";

/// Writes at least `bytes` bytes of `text`, repeated.
fn repeat(into: Sink<'_>, text: &str, bytes: usize) {
    if text.is_empty() {
        return;
    }
    let piece = text.repeat((1 << 16) / text.len() + 1);
    for _ in 0..=bytes / piece.len() {
        into.write_all(piece.as_bytes()).expect("written");
    }
}

fn between(into: Sink<'_>, start: &str, text: &str, bytes: usize, end: &str) {
    into.write_all(start.as_bytes()).expect("written");
    repeat(into, text, bytes);
    into.write_all(end.as_bytes()).expect("written");
}

const MB: usize = 1_000_000;

#[test]
fn a_workbook_is_bounded_in_what_it_unpacks_to() {
    let practice = practice();
    workbook(&practice, "good.xlsx", &[], 1);
    let (good, _) = checked(&practice, "good.xlsx");
    assert_eq!(good.code, 0, "{good:?}");

    let strings = "xl/sharedStrings.xml";
    let sheet = "xl/worksheets/sheet1.xml";
    let bombs: [Bomb<'_>; 13] = [
        ("one string", strings, &|into| between(into, "<sst><si><t>", "a", 150 * MB, "</t></si></sst>")),
        ("many strings", strings, &|into| between(into, "<sst>", "<si><t>a</t></si>", 150 * MB, "</sst>")),
        ("a string of many runs", strings, &|into| {
            between(into, "<sst><si>", "<r><t>aaaa</t></r>", 150 * MB, "</si></sst>");
        }),
        ("room for strings", strings, &|into| {
            between(into, "<sst x='>' uniqueCount=\"999999999999\">", "", 0, "</sst>");
        }),
        ("hidden in quotes", strings, &|into| between(into, "<sst><si x=\">", "<a>", 150 * MB, "\"/></sst>")),
        ("a comment", strings, &|into| between(into, "<sst><!--", "<a>", 150 * MB, "--></sst>")),
        ("unparsed text", strings, &|into| {
            between(into, "<sst><si><t><![CDATA[", "<a>", 150 * MB, "]]></t></si></sst>");
        }),
        ("one cell", sheet, &|into| {
            between(
                into,
                "<worksheet><sheetData><row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>",
                "a",
                150 * MB,
                "</t></is></c></row></sheetData></worksheet>",
            );
        }),
        ("a cell of many runs", sheet, &|into| {
            between(
                into,
                "<worksheet><sheetData><row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is>",
                "<r><t>aaaa</t></r>",
                150 * MB,
                "</is></c></row></sheetData></worksheet>",
            );
        }),
        ("one tag", sheet, &|into| between(into, "<worksheet x=\"", "a", 150 * MB, "\"></worksheet>")),
        ("no rows at all", sheet, &|into| {
            between(into, "<worksheet><sheetData>", "<row></row>", 150 * MB, "</sheetData></worksheet>");
        }),
        ("styles", "xl/styles.xml", &|into| {
            let font =
                format!("<styleSheet><fonts><font><name val=\"{}\"/></font></fonts><cellXfs>", "a".repeat(60_000));
            between(into, &font, "<xf fontId=\"0\"/>", 20 * MB, "</cellXfs></styleSheet>");
        }),
        ("a picture", "xl/media/image1.png", &|into| between(into, "\u{1}", "a", 150 * MB, "")),
    ];
    for (name, part, write) in bombs {
        workbook(&practice, "bomb.xlsx", &[(part, write)], 1);
        let bomb = format!("{name}.xlsx");
        fs::rename(practice.path("bomb.xlsx"), practice.path(&bomb)).expect("renamed");
        refused(&practice, &bomb, UNPACKS);
        fs::remove_file(practice.path(&bomb)).expect("removed");
    }
    let blank: &dyn Fn(Sink<'_>) =
        &|into| between(into, "<worksheet><sheetData>", "<row></row>", 100 * MB, "</sheetData></worksheet>");
    workbook(&practice, "bomb.xlsx", &[(sheet, blank)], 2_000);
    refused(&practice, "bomb.xlsx", UNPACKS);
    let entities: &dyn Fn(Sink<'_>) = &|into| between(into, "<!DOCTYPE a [<!ENTITY b \"c\">]><worksheet/>", "", 0, "");
    workbook(&practice, "bomb.xlsx", &[(sheet, entities)], 1);
    refused(&practice, "bomb.xlsx", "the list is damaged");
}

#[test]
fn a_long_shared_string_in_every_cell_is_bounded_by_row_and_by_list() {
    let practice = practice();
    let string = format!("<sst><si><t>{}</t></si></sst>", "a".repeat(30_000));
    let strings: &dyn Fn(Sink<'_>) = &|into| into.write_all(string.as_bytes()).expect("written");
    let row = format!("<row>{}</row>", "<c t=\"s\"><v>0</v></c>".repeat(30));
    let sheet: &dyn Fn(Sink<'_>) =
        &|into| between(into, "<worksheet><sheetData>", &row, 40 * MB, "</sheetData></worksheet>");
    workbook(&practice, "bomb.xlsx", &[("xl/sharedStrings.xml", strings), ("xl/worksheets/sheet1.xml", sheet)], 1);
    refused(&practice, "bomb.xlsx", UNPACKS);
    let row = format!("<row>{}</row>", "<c t=\"s\"><v>0</v></c>".repeat(900));
    let sheet: &dyn Fn(Sink<'_>) = &|into| between(into, "<worksheet><sheetData>", &row, 1, "</sheetData></worksheet>");
    workbook(&practice, "bomb.xlsx", &[("xl/sharedStrings.xml", strings), ("xl/worksheets/sheet1.xml", sheet)], 1);
    refused(&practice, "bomb.xlsx", "the row on line 1 is longer than 1 MiB");
}

#[test]
fn a_packed_list_is_bounded_in_what_it_unpacks_to() {
    let practice = practice();
    for text in ["a", "\n", "1,Ana,773-555-0110\n", "\""] {
        let file = BufWriter::new(File::create(practice.path("bomb.csv.gz")).expect("a file"));
        let mut packed = GzEncoder::new(file, Compression::new(9));
        between(&mut packed, "patient_id,first_name,phone\n", text, 300 * MB, "");
        packed.finish().expect("packed");
        refused(&practice, "bomb.csv.gz", UNPACKS);
    }
}

#[test]
fn a_cell_a_row_and_a_quote_that_never_closes_are_bounded() {
    let practice = practice();
    let header = "patient_id,first_name,phone\n1,Ana,773-555-0110\n";
    let too_long = "the row on line 3 is longer than 1 MiB";
    for (start, text, expected) in [
        ("2,", "a", too_long),
        ("2,\"", "a", too_long),
        ("2,\"", "3,Bo,773-555-0111\n", too_long),
        ("2", ",", too_long),
        ("2,\"", "\"\"", too_long),
    ] {
        let mut file = BufWriter::new(File::create(practice.path("bomb.csv")).expect("a file"));
        between(&mut file, &format!("{header}{start}"), text, 400 * MB, "");
        drop(file);
        refused(&practice, "bomb.csv", expected);
    }
    // In a row that is not too long, the quote is found by the rows in it.
    practice.write("bomb.csv", &format!("{header}2,\"{}", "3,Bo,773-555-0111\n".repeat(1_000)));
    refused(&practice, "bomb.csv", "a quote is opened on line 3 and closed rows later, or never");
    // In the header, too.
    let mut file = BufWriter::new(File::create(practice.path("bomb.csv")).expect("a file"));
    between(&mut file, "patient_id,\"", "a", 400 * MB, "");
    drop(file);
    let (ended, _) = checked(&practice, "bomb.csv");
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(ended.stderr.len() < 1_000, "{ended:?}");
}

#[test]
fn an_object_of_a_json_list_is_bounded() {
    let practice = practice();
    let all = |count, value: &str| (0..count).map(|at| format!("\"k{at}\":{value}")).collect::<Vec<_>>().join(",");
    let many = all(50_000, "1");
    let long = "n".repeat(60_000);
    let nested: String = (0..100_000).map(|_| "{},").collect();
    for object in
        [format!("{{{many}}}"), format!("{{\"{long}\":[{nested}1]}}"), format!("{{\"{long}\":[[1],[2],[3]]}}")]
    {
        practice.write("bomb.json", &format!("[{object}]"));
        refused(&practice, "bomb.json", "more than 1000 columns");
    }
    practice.write("bomb.json", &format!("[{{\"phone\":[{}1]}}]", "\"5555555555\",".repeat(200_000)));
    refused(&practice, "bomb.json", "too long for a row");
    practice.write("bomb.json", &format!("{{{}}}", all(200_000, "[]")));
    refused(&practice, "bomb.json", "more than 1000 columns");
}

#[test]
fn the_appointments_of_a_bundle_are_bounded_in_memory() {
    let practice = practice();
    let appointment = |participants: usize, description: &str| {
        let who = |at| format!(r#"{{"actor":{{"reference":"Patient/{at}"}}}}"#);
        let all = (0..participants).map(who).collect::<Vec<_>>().join(",");
        format!(
            r#"{{"resource":{{"resourceType":"Appointment","status":"booked","id":"a","start":"2026-12-01T09:00:00Z","description":"{description}","participant":[{all}]}}}}"#
        )
    };
    let patient = r#"{"resource":{"resourceType":"Patient","id":"1","name":[{"given":["Ana"]}],"telecom":[{"system":"phone","value":"773-555-0110"}]}}"#;
    let bundle = |entries: String| format!(r#"{{"resourceType":"Bundle","entry":[{patient},{entries}]}}"#);

    // One appointment with many participants: its long text would be copied for each.
    practice.write("bomb.json", &bundle(appointment(8_000, &"d".repeat(400_000))));
    let (ended, _) = checked(&practice, "bomb.json");
    assert_eq!(ended.code, 0, "its text is kept once: {ended:?}");
    // Many appointments with many participants.
    practice.write("bomb.json", &bundle(vec![appointment(20_000, ""); 60].join(",")));
    refused(&practice, "bomb.json", "more appointments than fit into memory");
}

#[test]
fn thousands_of_patients_on_one_number_or_of_one_key_are_checked_quickly() {
    let practice = practice();
    let list = |row: &dyn Fn(u32) -> String| {
        let rows: String = (0..20_000).map(row).collect();
        practice.write("bomb.csv", &format!("patient_id,first_name,phone,household_id\n{rows}"));
        checked(&practice, "bomb.csv").0
    };
    for (household, what) in [("", "one number"), ("H", "one household")] {
        let ended = list(&|n| format!("{n},Ana{n},312-555-0101,{household}\n"));
        assert_eq!(ended.code, 0, "{what}: {ended:?}");
    }
    assert_eq!(list(&|_| "1,Ana,312-555-0101,\n".into()).code, 0);
    assert_eq!(list(&|n| format!("1,Ana{n},312-555-0101,\n")).code, 3, "all but one contradict it");
}

#[test]
fn a_workbook_with_impossible_cell_references_is_refused() {
    let practice = practice();
    for cell in ["ZZZZZZZ3", "ZZZZZZZ4294967295", "A4294967296", "A99999999999999999999"] {
        let row = format!("<row><c r=\"{cell}\" t=\"inlineStr\"><is><t>a</t></is></c></row>");
        let sheet: &dyn Fn(Sink<'_>) =
            &|into| between(into, "<worksheet><sheetData>", &row, 1, "</sheetData></worksheet>");
        workbook(&practice, "bomb.xlsx", &[("xl/worksheets/sheet1.xml", sheet)], 1);
        refused(&practice, "bomb.xlsx", "the list is damaged");
    }
    let dimension: &dyn Fn(Sink<'_>) = &|into| {
        let start = "<worksheet><dimension ref=\"A1:ZZZZZZZZ99999999999\"/><sheetData>";
        between(into, start, "", 0, "</sheetData></worksheet>");
    };
    workbook(&practice, "bomb.xlsx", &[("xl/worksheets/sheet1.xml", dimension)], 1);
    refused(&practice, "bomb.xlsx", "the list is damaged");
    let rows: &dyn Fn(Sink<'_>) =
        &|into| between(into, "<worksheet><sheetData>", "<row/>", 7 * MB, "</sheetData></worksheet>");
    workbook(&practice, "bomb.xlsx", &[("xl/worksheets/sheet1.xml", rows)], 1);
    refused(&practice, "bomb.xlsx", UNPACKS);
}

#[test]
fn an_old_workbook_and_an_open_document_are_bounded_in_rows_and_columns() {
    let practice = practice();
    let old = [&[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1][..], &vec![0; 33 * MB]].concat();
    fs::write(practice.path("bomb.xls"), old).expect("written");
    refused(&practice, "bomb.xls", "an Excel workbook of the old kind (.xls) that is damaged");

    let cell = |text: &str, times: u32| {
        format!(
            "<table:table-cell table:number-columns-repeated=\"{times}\"><text:p>{text}</text:p></table:table-cell>"
        )
    };
    let row = |cells: &str, times: u32| {
        format!("<table:table-row table:number-rows-repeated=\"{times}\">{cells}</table:table-row>")
    };
    let header = row(&["patient_id", "first_name", "phone"].map(|name| cell(name, 1)).concat(), 1);
    let patient = ["1", "Ana", "312-555-0101"].map(|text| cell(text, 1)).concat();
    for (rows, expected) in
        [(row(&patient, 99_999_999), UNPACKS), (row(&cell("x", 99_999_999), 1), "more than 1000 columns")]
    {
        let mut zip = ZipWriter::new(File::create(practice.path("bomb.ods")).expect("a file"));
        let content = format!(
            "<office:document-content><office:body><office:spreadsheet><table:table table:name=\"a\">{header}{rows}\
             </table:table></office:spreadsheet></office:body></office:document-content>"
        );
        for (part, text) in [("mimetype", "application/vnd.oasis.opendocument.spreadsheet"), ("content.xml", &content)]
        {
            zip.start_file(part, SimpleFileOptions::default()).expect("a part");
            zip.write_all(text.as_bytes()).expect("written");
        }
        zip.finish().expect("a document");
        refused(&practice, "bomb.ods", expected);
    }
}

#[test]
fn a_campaign_file_and_a_list_of_numbers_are_bounded_too() {
    let practice = practice();
    let ended = practice.run(&["check", "/dev/zero"]);
    assert_eq!((ended.code, ended.stderr.contains("the file is too large")), (2, true), "{ended:?}");
    let ended =
        practice.run(&["suppress", "import", "/dev/zero", "--source", "x", "--ledger", "campaigns/callrounds.db"]);
    assert_eq!((ended.code, ended.stderr.contains("the file is too large")), (2, true), "{ended:?}");
    practice.write("long.csv", &"3".repeat(3 << 20));
    let ended = practice.run(&["suppress", "import", "long.csv", "--ledger", "campaigns/callrounds.db"]);
    assert_eq!((ended.code, ended.stderr.contains("longer than 1 MiB")), (2, true), "{ended:?}");
    let ended = practice.run(&["check", "campaigns/recall.toml", "--list", "/dev/zero"]);
    assert_eq!((ended.code, ended.stderr.contains("the file is too large")), (3, true), "{ended:?}");
}
