//! The tables of the manual have every word that the program knows, and no other.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use callrounds::campaign::DEFAULTS;
use callrounds::cli::args::Cli;
use callrounds::entry::{Outcome, OutcomeSignals, Reason, State};
use callrounds::intake::field::Field;
use callrounds::outcome::OutcomeRules;
use callrounds::simulator::people::Behaviour;
use callrounds::simulator::{Settings, fault, habits};
use clap::CommandFactory;
use serde_json::Value;
use toml::Table;

use super::{Page, cells};
use crate::support::harness::repository;

/// The rows of `docs/campaign-file.md` that explain a key: table and key, with the default.
fn explained_keys(page: &Page) -> BTreeMap<(String, String), String> {
    let (mut table, mut is_of_keys) = (String::new(), false);
    let mut keys = BTreeMap::new();
    for line in page.prose() {
        if line.starts_with('#') {
            let named = line.split('`').nth(1).unwrap_or_default();
            named.trim_matches(['[', ']']).clone_into(&mut table);
        }
        if !line.starts_with('|') {
            is_of_keys = false;
            continue;
        }
        match cells(line).as_slice() {
            ["key", "default", "meaning"] => is_of_keys = true,
            [key, default, _] if is_of_keys && key.starts_with('`') => {
                let at = (table.clone(), key.trim_matches('`').to_owned());
                assert!(keys.insert(at, (*default).to_owned()).is_none(), "[{table}] {key} is explained twice");
            }
            _ => {}
        }
    }
    keys
}

/// The keys of campaign files by the schema: table and key. What has keys of its own is a table.
fn keys_of_schema(schema: &Value, table: &str, keys: &mut BTreeSet<(String, String)>) {
    let properties = schema["properties"].as_object().expect("properties");
    for (key, property) in properties {
        let path = if table.is_empty() { key.clone() } else { format!("{table}.{key}") };
        if property["properties"].is_object() {
            keys_of_schema(property, &path, keys);
        } else if property["items"]["properties"].is_object() {
            keys_of_schema(&property["items"], &path, keys);
        } else if path != "calling.area_codes" {
            keys.insert((table.to_owned(), key.clone()));
        }
    }
}

/// The values of a table, and of the tables in it.
fn values<'t>(table: &'t Table, path: &str, found: &mut BTreeMap<(String, String), &'t toml::Value>) {
    for (key, value) in table {
        let inner = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        if let Some(table) = value.as_table().filter(|table| !table.is_empty()) {
            values(table, &inner, found);
        } else {
            found.insert((path.to_owned(), key.clone()), value);
        }
    }
}

/// The TOML value that a cell consists of, if it does.
fn value_of(cell: &str) -> Option<toml::Value> {
    let written = cell.strip_prefix('`')?.strip_suffix('`').filter(|text| !text.contains('`'))?;
    let table: Table = format!("value = {written}").parse().ok()?;
    table.get("value").cloned()
}

#[test]
fn the_campaign_files_page_has_every_key_with_its_default_and_no_other() {
    let page = Page::read("docs/campaign-file.md");
    let explained = explained_keys(&page);
    let schema = fs::read_to_string(repository().join("schemas/campaign.schema.json")).expect("a schema");
    let mut keys = BTreeSet::new();
    keys_of_schema(&serde_json::from_str(&schema).expect("JSON"), "", &mut keys);
    assert_eq!(explained.keys().cloned().collect::<BTreeSet<_>>(), keys, "the keys of the page and of the program");
    assert!(page.text.contains("\n### `[calling.area_codes]`\n"));

    let mut defaults: Table = DEFAULTS.parse().expect("TOML");
    let purposes = ["recall", "reminder", "follow_up"].map(|purpose| (purpose, defaults.remove(purpose)));
    let written =
        page.blocks().into_iter().filter(|(word, lines)| *word == "toml" && lines.first() == Some(&"# The default:"));
    let written: Table = written.flat_map(|(_, lines)| lines).collect::<Vec<_>>().join("\n").parse().expect("TOML");
    for (purpose, changes) in purposes {
        assert_eq!(written.get(purpose), changes.as_ref(), "what {purpose} changes");
    }
    let (mut of_blocks, mut of_program) = (BTreeMap::new(), BTreeMap::new());
    values(&written, "", &mut of_blocks);
    values(&defaults, "", &mut of_program);
    for (at, default) in &explained {
        let told = value_of(default).or_else(|| of_blocks.get(at).map(|value| (*value).clone()));
        assert_eq!(told.as_ref(), of_program.remove(at), "the default of {at:?}: {default}");
    }
    // An empty table says no more than its heading.
    of_program.retain(|_, value| !value.is_table());
    assert!(of_program.is_empty(), "defaults that the page does not have: {of_program:?}");
}

#[test]
fn the_troubleshooting_page_has_every_exit_code() {
    let source = Page::read("src/exit_status.rs").text;
    let arms = source.lines().filter_map(|line| line.trim().strip_prefix("Self::")?.split_once(" => "));
    let codes: BTreeSet<&str> =
        arms.filter_map(|(_, code)| code.strip_suffix(',')).filter(|code| is_number(code)).collect();
    assert!(codes.len() > 8, "{codes:?}");
    let page = Page::read("docs/troubleshooting.md").section("## Exit codes");
    let told: BTreeSet<&str> = page.rows().map(|row| row[0]).filter(|cell| is_number(cell)).collect();
    assert_eq!(told, codes);
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[test]
fn the_outcomes_page_has_every_outcome_and_tags_that_say_it() {
    let page = Page::read("docs/outcomes.md");
    let all: BTreeSet<&str> = Outcome::ALL.iter().map(|outcome| outcome.name()).collect();
    assert_eq!(page.section("## The outcomes").first_column(), all);

    let rules = OutcomeRules { own: Vec::new(), has_built_in: true };
    let section = page.section("## How rules decide");
    let mut told = BTreeSet::from(["unclassified"]);
    for row in section.rows().skip(1) {
        let outcome = row[0].trim_matches('`');
        told.extend(all.get(outcome));
        for tag in row[1].split('`').skip(1).step_by(2) {
            let said = OutcomeSignals { tags: vec![tag.to_owned()], ..OutcomeSignals::default() };
            assert_eq!(rules.classify(&said).outcome.name(), outcome, "{tag}");
        }
    }
    assert_eq!(told, all);
}

#[test]
fn the_simulators_page_has_every_fault_habit_behaviour_and_option() {
    let page = Page::read("docs/simulator.md");
    let faults: BTreeSet<&str> = fault::FaultKind::ALL.iter().map(|kind| kind.name()).collect();
    assert_eq!(page.section("## Faults").first_column(), faults, "faults");

    let word = |text: &'static str| text.split('=').next().unwrap_or_default();
    let known: BTreeSet<&str> = habits::KNOWN.split(", ").map(word).collect();
    let section = page.section("## Habits");
    let told: BTreeSet<&str> = section.first_column().iter().filter_map(|habit| habit.split('=').next()).collect();
    assert_eq!(told, known, "habits");
    for (habit, values) in habits::KNOWN.split(", ").filter_map(|habit| habit.split_once('=')) {
        let values = values.split('|').filter_map(|value| value.split([':', '[']).next());
        for value in values.filter(|value| value.chars().all(|c| c.is_ascii_lowercase() || c == '-')) {
            let is_told =
                [format!("`{habit}={value}"), format!("`{value}`")].iter().any(|told| section.text.contains(told));
            assert!(is_told, "the habit {habit}={value}");
        }
    }
    for habit in section.first_column() {
        let taken = habits::apply_habit(&mut Settings::default(), habit);
        assert!(taken.is_ok(), "{habit}: {taken:?}");
    }

    let people = page.section("## People");
    let missing: Vec<_> =
        Behaviour::ALL.iter().map(|behaviour| behaviour.name()).filter(|name| !people.spans().contains(name)).collect();
    assert!(missing.is_empty(), "behaviours {missing:?}");

    let cli = Cli::command();
    let simulate = cli.find_subcommand("simulate").expect("simulate");
    let options: BTreeSet<String> = long_options(simulate).collect();
    let section = page.section("## Options");
    let told: BTreeSet<String> = section.first_column().iter().map(|option| first_word(option)).collect();
    assert_eq!(told, options, "options of simulate");
}

fn first_word(text: &str) -> String {
    text.split([' ', '[']).next().unwrap_or_default().to_owned()
}

fn long_options(command: &clap::Command) -> impl Iterator<Item = String> {
    command.get_arguments().filter(|argument| !argument.is_global_set()).filter_map(|argument| {
        let long = argument.get_long()?;
        Some(format!("--{long}"))
    })
}

#[test]
fn the_commands_page_has_every_command_and_option() {
    fn collect(command: &clap::Command, names: &mut BTreeSet<String>, options: &mut BTreeSet<String>) {
        for inner in command.get_subcommands() {
            names.insert(inner.get_name().to_owned());
            if inner.get_name() != "simulate" {
                options.extend(long_options(inner));
                collect(inner, names, options);
            }
        }
    }
    let cli = Cli::command();
    let (mut names, mut options) = (BTreeSet::new(), BTreeSet::new());
    collect(&cli, &mut names, &mut options);
    options.extend(cli.get_arguments().filter_map(|argument| Some(format!("--{}", argument.get_long()?))));
    let page = Page::read("docs/commands.md");
    let spans = page.first_column();
    let words: BTreeSet<&str> = spans.iter().flat_map(|span| span.split(' ')).collect();
    let untold: Vec<_> = names.iter().chain(&options).filter(|name| !words.contains(name.as_str())).collect();
    assert!(untold.is_empty(), "docs/commands.md does not have {untold:?}");
    let unknown: Vec<_> = words.iter().filter(|word| word.starts_with("--") && !options.contains(**word)).collect();
    assert!(unknown.is_empty(), "there are no options {unknown:?}");
}

#[test]
fn the_pages_of_lists_and_reports_have_every_word() {
    let fields = Page::read("docs/lists.md").section("## Fields");
    let mut told = BTreeSet::new();
    for row in fields.rows().filter(|row| row[0].starts_with('`')) {
        let name = row[0].trim_matches('`');
        told.insert(name.to_owned());
        for heading in row[1].split('`').skip(1).step_by(2) {
            assert_eq!(Field::from_column(heading).map(Field::name), Some(name), "the heading {heading}");
        }
    }
    let all: BTreeSet<_> = Field::ALL.iter().map(|field| field.name().to_owned()).collect();
    assert_eq!(told, all, "fields");

    let reports = Page::read("docs/reports.md");
    let states: BTreeSet<&str> = State::ALL.iter().map(|state| state.name()).collect();
    assert_eq!(reports.section("## States").first_column(), states);
    let reasons: BTreeSet<&str> = Reason::ALL.iter().map(|reason| reason.name()).collect();
    assert_eq!(reports.section("## Reasons").first_column(), reasons);
    let schema = fs::read_to_string(repository().join("schemas/events.schema.json")).expect("a schema");
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    let variants = schema["$defs"]["Event"]["oneOf"].as_array().expect("events");
    let events: BTreeSet<_> =
        variants.iter().filter_map(|event| event["properties"]["type"]["const"].as_str()).collect();
    let section = reports.section("## For programs");
    let told: BTreeSet<&str> = section.first_column().into_iter().filter(|word| !word.contains(' ')).collect();
    assert_eq!(told, events, "events");
}
