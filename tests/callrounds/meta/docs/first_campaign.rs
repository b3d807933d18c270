//! The first campaign of README runs as it is written there.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::Page;
use super::commands::{joined, ours};
use crate::support::harness::{Practice, ProgramOutput, program};
use crate::support::vendor::{MORNING, Vendor};

/// A list of the practice's own software, with a household and a number that is too short.
const EXPORT: &str = "PatNum,LName,FName,WirelessPhone,Guarantor,DateDue,DoNotCall
1001,Ruiz,Ana,312-555-0101,1001,2026-11-01,
1002,Ruiz,Ben,312-555-0101,1001,2026-11-01,
1003,Moss,Cai,212-555-0103,1003,2026-10-01,
1004,Park,Dee,312-555-01,1004,2026-10-01,
1005,Voss,Eli,312-555-0105,1005,2026-09-01,
1006,Hart,Fay,312-555-0106,1006,2026-09-01,yes
";

/// The commands of README's first campaign, each as the words that are typed.
fn first_campaign() -> Vec<Vec<String>> {
    let readme = Page::read("README.md");
    let blocks = readme.section("## A first campaign");
    let of_shell = blocks.blocks().into_iter().filter(|(word, _)| *word == "sh");
    of_shell.flat_map(|(_, lines)| joined(&lines)).flat_map(|line| ours(&line)).collect()
}

#[test]
fn the_first_campaign_of_the_readme_runs() {
    let practice = Practice::new();
    let folder = practice.path("my-practice");
    fs::create_dir(&folder).expect("a directory");
    fs::write(folder.join("export.csv"), EXPORT).expect("written");
    let vendor = Vendor::start(&practice, "60", &["--from-number", "+13125550142", "--api-key", "a-key"]);
    let mut done = Vec::new();
    for words in first_campaign() {
        let command = words[1].clone();
        let ended = follow(&words, &folder, &vendor);
        assert_eq!(ended.code, 0, "{}: {ended:?}", words.join(" "));
        if command == "init" {
            make_it_the_practices_own(&folder.join("recall.toml"));
        }
        done.push(command);
    }
    assert_eq!(done, ["init", "check", "run", "doctor", "run", "status", "explain", "report", "worklist"]);
    let numbers: BTreeSet<_> = vendor.calls().into_iter().map(|call| call.to_number).collect();
    assert_eq!(numbers.len(), 3, "{numbers:?}");

    let report = fs::read_to_string(folder.join("result.csv")).expect("a report");
    assert_eq!(report.lines().count(), 6, "{report}");
    let columns: BTreeSet<_> = report.lines().next().expect("a header").split(',').collect();
    let page = Page::read("docs/reports.md").section("## Formats");
    let told = page.first_column();
    let untold: Vec<_> = columns.iter().filter(|column| !told.contains(*column)).collect();
    assert!(untold.is_empty(), "docs/reports.md does not have the columns {untold:?}");
}

/// Types one of README's commands. Nobody but the simulator is called: the campaign is a rehearsal's, and runs have its time.
fn follow(words: &[String], folder: &Path, vendor: &Vendor) -> ProgramOutput {
    let mut command: Command = program();
    command.args(&words[1..]).current_dir(folder);
    if words.iter().any(|word| word == "--rehearse") {
        command.args(["--at", MORNING, "--speed", "600"]);
    } else {
        command.env("ANNIE_BASE_URL", &vendor.base_url).env("ANNIE_API_KEY", "a-key");
        if words[1] == "run" {
            command.args(["--at", &vendor.time(), "--speed", "60"]);
        }
    }
    ProgramOutput::new(&command.output().expect("the program"))
}

/// What README asks for after `init`. A list of invented people is called in a rehearsal only.
fn make_it_the_practices_own(campaign: &Path) {
    let text = fs::read_to_string(campaign).expect("a campaign file");
    let own = text
        .replace("<Your Dental Practice>", "Bright Smile Dental")
        .replace("kind = \"annie\"", "kind = \"annie\"\nrehearsal = true");
    assert!(own != text && own.contains("rehearsal = true"), "{text}");
    fs::write(campaign, own).expect("written");
}
