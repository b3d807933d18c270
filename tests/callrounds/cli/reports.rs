//! Reports as files for other programs: a workbook and an HTML page.

use std::os::unix::fs::PermissionsExt;

use calamine::{Data, Reader, Xlsx, open_workbook};

use crate::support::harness::{Practice, recall};
use crate::support::vendor::MORNING;

/// One name would be a formula in a sheet and markup in a page.
const LIST: &str = "patient_id,first_name,last_name,phone\n\
                    1,Ana,Diaz,773-555-0110\n\
                    2,Ben,=1+1<b>,773-555-0111\n\
                    3,Cy,O'Hara,773-555-01\n";

/// A practice after a complete run.
fn called() -> Practice {
    let rest = format!(
        "max_reject_rate = 0.5\n[calling]\nconsent = \"on_file\"\n[redial]\nmax_attempts = 1\n\
         [vendor]\nkind = \"simulator\"\nstart = \"{MORNING}\"\n"
    );
    let practice = Practice::with(&recall(&rest), LIST);
    assert_eq!(practice.run(&["run", "campaigns/recall.toml"]).code, 0);
    practice
}

fn written(practice: &Practice, format: &str, file: &str) {
    let ended = practice.run(&["report", "--format", format, "--out", file]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, format!("wrote {file}\n").as_str()), "{ended:?}");
    let mode = practice.path(file).metadata().expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "it holds patients' data");
}

#[test]
fn a_workbook_has_the_csvs_rows_and_no_formula_and_can_be_read_back() {
    let practice = called();
    written(&practice, "xlsx", "report.xlsx");
    let mut book: Xlsx<_> = open_workbook(practice.path("report.xlsx")).expect("a workbook");
    assert_eq!(book.sheet_names(), ["patients", "run"]);
    let sheet = book.worksheet_range("patients").expect("a sheet");
    let csv = practice.run(&["report", "--format", "csv"]).stdout;
    let rows = csv::Reader::from_reader(csv.as_bytes()).into_records().map(|row| row.expect("a row"));
    let expected: Vec<Vec<String>> =
        rows.map(|row| row.iter().map(|cell| cell.trim_start_matches('\'').to_owned()).collect()).collect();
    let found: Vec<Vec<String>> =
        sheet.rows().skip(1).map(|row| row.iter().map(ToString::to_string).collect()).collect();
    assert_eq!((found.len(), found), (2, expected));
    assert_eq!(sheet.get((2, 2)), Some(&Data::String("=1+1<b>".into())));
    assert_eq!(book.worksheet_formula("patients").expect("a sheet").used_cells().count(), 0);

    let again = practice.run(&["check", "campaigns/recall.toml", "--list", "report.xlsx"]);
    assert!(again.stdout.contains("2 rows = 2 accepted"), "{again:?}");
}

#[test]
fn a_page_shows_everybody_and_runs_nothing() {
    let practice = called();
    written(&practice, "html", "report.html");
    let page = practice.read("report.html");
    assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"), "{page}");
    assert_eq!(page.matches("<tr>").count(), 3, "a header and two patients: {page}");
    for words in ["<h1>recall, run 1</h1>", "3 rows = 2 accepted + 1 rejected", "<td>Ben =1+1&lt;b&gt;</td>"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    for word in ["<b>", "<script", "http://", "https://"] {
        assert!(!page.contains(word), "{word}: {page}");
    }
}

/// It is written patient by patient.
#[test]
fn a_json_report_has_the_layout_of_one_document() {
    let text = called().run(&["report", "--json"]).stdout;
    let document: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(document["patients"].as_array().map(Vec::len), Some(2), "{text}");
    let pretty = serde_json::to_string_pretty(&document).expect("JSON") + "\n";
    // A value has its keys in another order, and so its commas.
    let lines = |text: &str| {
        let mut lines: Vec<_> = text.split('\n').map(|line| line.trim_end_matches(',').to_owned()).collect();
        lines.sort();
        lines
    };
    assert_eq!(lines(&text), lines(&pretty));
}

/// A partly written report contains patients' data, too.
#[test]
fn a_report_that_cannot_be_written_leaves_nothing_behind() {
    let practice = called();
    std::fs::create_dir(practice.path("taken")).expect("a folder");
    let before = std::fs::read_dir(practice.folder()).expect("a folder").count();
    let ended = practice.run(&["report", "--format", "csv", "--out", "taken"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert_eq!(std::fs::read_dir(practice.folder()).expect("a folder").count(), before);
}

#[test]
fn a_ban_on_the_newest_list_for_a_patient_who_is_called_already_is_in_the_report() {
    let practice = called();
    let banned =
        "patient_id,first_name,last_name,phone,do_not_call\n1,Ana,Diaz,773-555-0110,yes\n2,Ben,Li,773-555-0111,\n";
    practice.write("next.csv", banned);
    assert_eq!(practice.run(&["run", "campaigns/recall.toml", "--list", "next.csv"]).code, 0);
    let report = practice.run(&["report", "--format", "csv"]).stdout;
    let mut rows = csv::Reader::from_reader(report.as_bytes());
    let at = rows.headers().expect("headers").iter().position(|name| name == "do_not_call").expect("the column");
    let bans: Vec<_> = rows.records().map(|row| row.expect("a row")[at].to_owned()).collect();
    assert_eq!(bans, ["yes", ""], "{report}");
}
