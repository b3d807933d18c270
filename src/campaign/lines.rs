//! The lines of a campaign: who calls for which location, and what each organisation has at the vendor.
//!
//! A campaign for one practice has none written down: then everybody is called by [`Campaign::practice`]. A group writes a
//! `[[line]]` for each location, in its campaign file or in a file beside it, and its lists say in a location column whose
//! patient a row is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::de::DeTable;

use super::check::{count, syntax, value};
use super::file::{LineTable, LinesFile};
use super::problem::{Problem, Problems};
use super::read::{Kind, Placed, Reader};
use super::{Campaign, Practice, Rate};
use crate::ids::{Location, OrganisationId};
use crate::phone::E164;
use crate::visible::Shown;

/// Who calls for which location, and for which organisations.
#[derive(Debug, Clone)]
pub struct Lines {
    /// By the location's name as it is compared.
    by_location: BTreeMap<String, (Location, Practice)>,
    /// In the order of the file; never empty.
    accounts: Vec<Account>,
}

/// What an organisation has at the vendor: numbers that call, a request budget, credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Whose it is.
    pub organisation: OrganisationId,
    /// Who calls with it: one practice for each zone and number, at least one.
    pub practices: Vec<Practice>,
    /// Its request budget, and its conversations under way at once.
    pub rate: Rate,
    /// A file that holds its API key, relative to the campaign file's folder.
    pub key_file: Option<PathBuf>,
    /// It is the organisation of `[practice]`, whose credentials the environment has under their plain names.
    pub is_practices: bool,
}

impl Account {
    /// The numbers that call, each once.
    #[must_use]
    pub fn numbers(&self) -> Vec<E164> {
        let mut numbers: Vec<_> = self.practices.iter().map(|practice| practice.from_number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    fn of(practice: &Practice, rate: Rate, is_practices: bool) -> Self {
        let organisation = practice.organisation.clone();
        Self { organisation, practices: vec![practice.clone()], rate, key_file: None, is_practices }
    }
}

/// Names of locations are compared without case and without space around them.
fn compared(location: &str) -> String {
    location.trim().to_lowercase()
}

impl Lines {
    /// One practice calls everybody.
    #[must_use]
    pub fn of_one(practice: &Practice, rate: Rate) -> Self {
        Self { by_location: BTreeMap::new(), accounts: vec![Account::of(practice, rate, true)] }
    }

    /// Whether a list must say whose patient a row is.
    #[must_use]
    pub fn are_written(&self) -> bool {
        !self.by_location.is_empty()
    }

    /// The location that a cell names.
    #[must_use]
    pub fn named(&self, cell: &str) -> Option<&Location> {
        self.by_location.get(&compared(cell)).map(|(location, _)| location)
    }

    /// The organisations, in the order of the file.
    #[must_use]
    pub fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// The account that a call belongs to: by its organisation's name or, if that has changed since, by the number that called.
    /// `None`: of one that the campaign has no line of any more, and so nobody here can ask the vendor about it.
    #[must_use]
    pub fn account_of(&self, organisation: &OrganisationId, from: E164) -> Option<usize> {
        let by_name = self.accounts.iter().position(|account| account.organisation == *organisation);
        by_name.or_else(|| self.accounts.iter().position(|account| account.numbers().contains(&from)))
    }

    /// Every location with its practice, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&Location, &Practice)> {
        self.by_location.values().map(|(location, practice)| (location, practice))
    }

    /// Of tables that [`check`] has found good.
    pub(super) fn of(tables: Vec<LineTable>, practice: &Practice, has_callback: bool, rate: Rate) -> Option<Self> {
        if tables.is_empty() {
            return Some(Self::of_one(practice, rate));
        }
        let mut lines = Self { by_location: BTreeMap::new(), accounts: Vec::new() };
        for table in tables {
            lines.add(table, practice, has_callback, rate)?;
        }
        Some(lines)
    }

    fn add(&mut self, table: LineTable, practice: &Practice, has_callback: bool, rate: Rate) -> Option<()> {
        let location = Location::new(value(table.location)?);
        let from_number = value(table.from_number).unwrap_or(practice.from_number);
        let callback = if has_callback { practice.callback_number } else { from_number };
        let own = Practice {
            name: value(table.name).unwrap_or_else(|| practice.name.clone()),
            zone: value(table.timezone).unwrap_or_else(|| practice.zone.clone()),
            from_number,
            callback_number: value(table.callback_number).unwrap_or(callback),
            own_numbers: practice.own_numbers.clone(),
            organisation: value(table.organisation).map_or_else(|| practice.organisation.clone(), OrganisationId::new),
        };
        let account = self.account(&own, practice, rate);
        account.key_file = value(table.key_file).or(account.key_file.take());
        account.rate.requests_per_minute = count(table.requests_per_minute).unwrap_or(account.rate.requests_per_minute);
        account.rate.open_calls = count(table.open_calls).unwrap_or(account.rate.open_calls);
        self.by_location.insert(compared(location.as_str()), (location, own));
        Some(())
    }

    /// The account of `own`'s organisation, with its number and zone among those that call.
    fn account(&mut self, own: &Practice, practice: &Practice, rate: Rate) -> &mut Account {
        let known = self.accounts.iter().position(|account| account.organisation == own.organisation);
        let Some(at) = known else {
            self.accounts.push(Account::of(own, rate, own.organisation == practice.organisation));
            return self.accounts.last_mut().expect("it was pushed just now");
        };
        let account = &mut self.accounts[at];
        let is_new = |one: &Practice| one.from_number != own.from_number || one.zone != own.zone;
        if account.practices.iter().all(is_new) {
            account.practices.push(own.clone());
        }
        account
    }
}

impl Campaign {
    /// Who calls the patients of a location; `None` for one that has no line.
    #[must_use]
    pub fn practice_at(&self, location: Option<&Location>) -> Option<&Practice> {
        if !self.lines.are_written() {
            return Some(&self.practice);
        }
        self.lines.by_location.get(&compared(location?.as_str())).map(|(_, practice)| practice)
    }
}

/// The file of lines that a campaign's text names, if it does.
#[must_use]
pub fn lines_file(text: &str) -> Option<PathBuf> {
    let (table, _) = DeTable::parse_recoverable(text);
    Some(PathBuf::from(table.get_ref().get("lines")?.get_ref().as_str()?))
}

/// The campaign's text with its file of lines below it, which is what is checked, and what the ledger keeps. Where the
/// file of lines has problems by itself, they are told in its own name.
pub fn with_lines(text: &str, lines: &str, file_name: &Path) -> Result<String, Problems> {
    let (table, errors) = DeTable::parse_recoverable(lines);
    let mut problems: Vec<Problem> = errors.iter().map(syntax).collect();
    if problems.is_empty() {
        let mut reader = Reader::new::<LinesFile>(lines, Kind::Campaign);
        let file = LinesFile::of(table.get_ref(), &(0..0), &mut reader);
        problems = reader.problems;
        check(file.line.as_ref(), &mut problems);
    }
    if !problems.is_empty() {
        return Err(Problems::new(&file_name.shown(), lines, problems));
    }
    Ok(format!("{}\n\n{lines}", text.trim_end()))
}

/// Adds what is wrong with lines, each seen beside the others, to `problems`.
pub(super) fn check(lines: Option<&Placed<Vec<Placed<LineTable>>>>, problems: &mut Vec<Problem>) {
    let lines: Vec<&LineTable> =
        lines.into_iter().flat_map(|lines| &lines.value).map(|Placed { value, .. }| value).collect();
    for (at, line) in lines.iter().enumerate() {
        for before in &lines[..at] {
            problems.extend(twice(before, line));
            problems.extend(of_two_minds(before, line));
        }
    }
}

/// A location has one line.
fn twice(before: &LineTable, line: &LineTable) -> Option<Problem> {
    let (first, second) = (before.location.as_ref()?, line.location.as_ref()?);
    (compared(&first.value) == compared(&second.value)).then(|| {
        Problem::new(second.span.clone().unwrap_or_default(), format!("there is another line of `{}`", second.value))
            .help("leave one of them out: a location's patients are called by one line")
    })
}

/// Lines of one organisation share its budget and credentials, and organisations do not share the names of theirs.
fn of_two_minds(before: &LineTable, line: &LineTable) -> Option<Problem> {
    let organisation = |table: &LineTable| table.organisation.as_ref().map(|organisation| organisation.value.clone());
    if organisation(before) != organisation(line) {
        let (first, second) = (before.organisation.as_ref()?, line.organisation.as_ref()?);
        return (suffix(&first.value) == suffix(&second.value)).then(|| {
            let what =
                format!("`{}` and `{}` would have one variable for their credentials", first.value, second.value);
            Problem::new(second.span.clone().unwrap_or_default(), what)
                .help(format!("rename one: both would be ANNIE_API_KEY_{}", suffix(&second.value)))
        });
    }
    let differs = [
        differing("key_file", before.key_file.as_ref(), line.key_file.as_ref()),
        differing("requests_per_minute", before.requests_per_minute.as_ref(), line.requests_per_minute.as_ref()),
        differing("open_calls", before.open_calls.as_ref(), line.open_calls.as_ref()),
    ];
    differs.into_iter().flatten().next()
}

fn differing<T: PartialEq>(key: &str, first: Option<&Placed<T>>, second: Option<&Placed<T>>) -> Option<Problem> {
    let (first, second) = (first?, second?);
    (first.value != second.value).then(|| {
        let what = format!("`{key}` is another one than at an earlier line of the same organisation");
        Problem::new(second.span.clone().unwrap_or_default(), what)
            .help("it is the organisation's: write it once, or give the line an organisation of its own")
    })
}

/// How an organisation's variables in the environment end: `Bright Smile, East` has `ANNIE_API_KEY_BRIGHT_SMILE_EAST`.
#[must_use]
pub fn suffix(organisation: &str) -> String {
    let words: Vec<String> = organisation
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_uppercase)
        .collect();
    words.join("_")
}
