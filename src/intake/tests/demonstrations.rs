//! The demonstration campaigns and their lists.

use std::path::Path;

use super::*;
use crate::campaign::{Allowances, load};

/// A demonstration campaign, the mapping of its list's columns, and what became of the list.
fn demonstrate(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("campaigns");
    let file = format!("{name}.toml");
    let text = std::fs::read_to_string(folder.join(&file)).expect("a campaign file");
    let campaign = load(&text, &file, folder, Allowances::default()).expect("a campaign");
    let list = campaign.source.beside(campaign.list.file.as_ref().expect("a list"));
    let intake = Intake::open(&ListSource::File(list), &campaign, setting()).expect("a good list");
    let mut reading = intake.read().expect("rows");
    let longest = reading.by_ref().filter_map(|step| match step.expect("a step") {
        Step::Accepted(draft) => draft.content.context,
        Step::Rejected(..) | Step::Duplicate { .. } | Step::Replaced { .. } => None,
    });
    let longest = longest.max_by_key(|context| (context.len(), context.clone())).expect("an entry");
    let summary = reading.finish().expect("a summary");
    assert!(summary.tally.adds_up());
    format!("{name}\n{}\n{longest}\n{summary:#?}", intake.mapping())
}

#[test]
fn the_demonstrations_show_what_they_are_there_to_show() {
    let shown = ["demo-recall", "demo-reminder", "demo-follow-up"].map(demonstrate);
    insta::assert_snapshot!(shown.join("\n\n"));
}
