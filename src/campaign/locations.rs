//! The locations of a campaign and their caller ids, and what each organisation has at the vendor.
//!
//! A campaign for one practice has no `[[line]]` table: [`Campaign::practice`](super::Campaign::practice) calls every
//! patient. A group of practices writes a `[[line]]` for each location, in the campaign file or in a separate file, and
//! the list's location column names the location of each patient.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::file::LocationTable;
use super::sections::{Practice, Rate};
use super::spanned_reader::unspanned;
use super::value::count;
use crate::ids::{Location, OrganisationId};
use crate::phone::E164;

/// The locations of a campaign, and the organisations that own their caller ids.
#[derive(Debug, Clone)]
pub struct Locations {
    /// By [`location_key`].
    by_location: BTreeMap<String, (Location, Practice)>,
    /// In the order of the file; never empty.
    organisations: Vec<Organisation>,
}

/// What an organisation has at the vendor: caller ids, a request budget, credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organisation {
    /// The organisation's id.
    pub id: OrganisationId,
    /// The practices that call with it: one for each distinct zone and caller id, at least one.
    pub practices: Vec<Practice>,
    /// Its request budget and its limit on concurrent calls.
    pub rate: Rate,
    /// A file that holds its API key, relative to the campaign file's folder.
    pub key_file: Option<PathBuf>,
    /// Whether it is the organisation of `[practice]`: its credentials are also read from the environment variables
    /// without a suffix.
    pub is_primary: bool,
}

impl Organisation {
    /// The caller ids of the organisation, sorted, each once.
    #[must_use]
    pub fn numbers(&self) -> Vec<E164> {
        let mut numbers: Vec<_> = self.practices.iter().map(|practice| practice.from_number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    fn new(practice: &Practice, rate: Rate, is_primary: bool) -> Self {
        let id = practice.organisation.clone();
        Self { id, practices: vec![practice.clone()], rate, key_file: None, is_primary }
    }
}

/// Location names are compared without regard to case and surrounding space.
pub(super) fn location_key(location: &str) -> String {
    location.trim().to_lowercase()
}

impl Locations {
    /// No `[[line]]` table: one practice calls every patient.
    #[must_use]
    pub fn single(practice: &Practice, rate: Rate) -> Self {
        Self { by_location: BTreeMap::new(), organisations: vec![Organisation::new(practice, rate, true)] }
    }

    /// Whether the campaign has `[[line]]` tables, so that each row of a list must name its location.
    #[must_use]
    pub fn are_defined(&self) -> bool {
        !self.by_location.is_empty()
    }

    /// The location that a cell names.
    #[must_use]
    pub fn named(&self, cell: &str) -> Option<&Location> {
        self.by_location.get(&location_key(cell)).map(|(location, _)| location)
    }

    /// The practice of a location.
    #[must_use]
    pub fn practice(&self, location: &str) -> Option<&Practice> {
        self.by_location.get(&location_key(location)).map(|(_, practice)| practice)
    }

    /// The organisations, in the order of the file; never empty.
    #[must_use]
    pub fn organisations(&self) -> &[Organisation] {
        &self.organisations
    }

    /// The index in [`Locations::organisations`] of the organisation that a call belongs to: found by its name or, if
    /// it has been renamed since, by the call's caller id. `None` if the campaign no longer has the organisation: then
    /// this run cannot ask the vendor about the call.
    #[must_use]
    pub fn organisation_index(&self, organisation: &OrganisationId, from: E164) -> Option<usize> {
        let by_name = self.organisations.iter().position(|known| known.id == *organisation);
        by_name.or_else(|| self.organisations.iter().position(|known| known.numbers().contains(&from)))
    }

    /// Every location with its practice, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&Location, &Practice)> {
        self.by_location.values().map(|(location, practice)| (location, practice))
    }

    /// Builds the locations from validated tables. `None` if a table has no location.
    pub(super) fn from_tables(
        tables: Vec<LocationTable>,
        practice: &Practice,
        has_callback: bool,
        rate: Rate,
    ) -> Option<Self> {
        if tables.is_empty() {
            return Some(Self::single(practice, rate));
        }
        let mut locations = Self { by_location: BTreeMap::new(), organisations: Vec::new() };
        for table in tables {
            locations.add(table, practice, has_callback, rate)?;
        }
        Some(locations)
    }

    fn add(&mut self, table: LocationTable, practice: &Practice, has_callback: bool, rate: Rate) -> Option<()> {
        let location = Location::new(unspanned(table.location)?);
        let from_number = unspanned(table.from_number).unwrap_or(practice.from_number);
        let callback = if has_callback { practice.callback_number } else { from_number };
        let own = Practice {
            name: unspanned(table.name).unwrap_or_else(|| practice.name.clone()),
            zone: unspanned(table.timezone).unwrap_or_else(|| practice.zone.clone()),
            from_number,
            callback_number: unspanned(table.callback_number).unwrap_or(callback),
            own_numbers: practice.own_numbers.clone(),
            organisation: unspanned(table.organisation)
                .map_or_else(|| practice.organisation.clone(), OrganisationId::new),
        };
        let organisation = self.organisation_of(&own, practice, rate);
        organisation.key_file = unspanned(table.key_file).or(organisation.key_file.take());
        let rate = &mut organisation.rate;
        rate.requests_per_minute = count(table.requests_per_minute).unwrap_or(rate.requests_per_minute);
        rate.open_calls = count(table.open_calls).unwrap_or(rate.open_calls);
        self.by_location.insert(location_key(location.as_str()), (location, own));
        Some(())
    }

    /// The organisation of `own`, added if it is new; `own`'s caller id and zone are among its practices afterwards.
    fn organisation_of(&mut self, own: &Practice, practice: &Practice, rate: Rate) -> &mut Organisation {
        let known = self.organisations.iter().position(|known| known.id == own.organisation);
        let Some(at) = known else {
            self.organisations.push(Organisation::new(own, rate, own.organisation == practice.organisation));
            return self.organisations.last_mut().expect("it was pushed just now");
        };
        let organisation = &mut self.organisations[at];
        let is_new = |one: &Practice| one.from_number != own.from_number || one.zone != own.zone;
        if organisation.practices.iter().all(is_new) {
            organisation.practices.push(own.clone());
        }
        organisation
    }
}

/// The suffix of an organisation's environment variables: `Bright Smile, East` has `ANNIE_API_KEY_BRIGHT_SMILE_EAST`.
#[must_use]
pub fn variable_suffix(organisation: &str) -> String {
    let words: Vec<String> = organisation
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_uppercase)
        .collect();
    words.join("_")
}
