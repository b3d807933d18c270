//! Area codes of the United States and Canada, with their regions and time zones.
//!
//! The table is `area-codes.tsv`, embedded; its header names its source and date. Numbering metadata always lags, so a
//! number with an unknown area code is valid; only its local time is unknown.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use super::E164;
use crate::zone::Zone;

const TABLE: &str = include_str!("area-codes.tsv");

/// One area code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AreaCode {
    /// `US` or `CA`.
    pub country: &'static str,
    /// The state or province by its postal abbreviation, such as `IL`.
    pub region: &'static str,
    /// Every time zone in which a number of this code may ring, as IANA names.
    pub zones: Vec<&'static str>,
}

struct EmbeddedTable {
    /// Indexed by area code.
    codes: Vec<Option<AreaCode>>,
    regions: BTreeMap<&'static str, Vec<&'static str>>,
}

/// The table's entry for an area code.
#[must_use]
pub fn lookup(area: u16) -> Option<&'static AreaCode> {
    table().codes.get(usize::from(area))?.as_ref()
}

/// The time zones of an area code, as IANA names.
#[must_use]
pub fn zones_of(area: u16) -> Option<&'static [&'static str]> {
    lookup(area).map(|code| code.zones.as_slice())
}

/// The regions and time zones of an area code.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AreaCodeCoverage {
    /// IANA names.
    pub zones: Vec<String>,
    /// States and provinces, by their postal abbreviations.
    pub regions: Vec<String>,
}

impl AreaCodeCoverage {
    /// Parses states and time zones, separated by commas: `OH`, `America/New_York` or `KY, America/Chicago`. A state
    /// gives all of its time zones.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parsed = Self::default();
        for word in text.split(',').map(str::trim) {
            if let Some(zones) = zones_of_region(word) {
                parsed.regions.push(word.to_owned());
                parsed.zones.extend(zones.iter().map(ToString::to_string));
            } else {
                parsed.zones.push(Zone::named(word).ok()?.name().to_owned());
            }
        }
        Some(parsed)
    }
}

/// The area codes of a campaign: its own entries override those of the table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AreaCodes(BTreeMap<u16, AreaCodeCoverage>);

impl AreaCodes {
    /// The table with the entries in `own` overridden.
    #[must_use]
    pub fn with(own: BTreeMap<u16, AreaCodeCoverage>) -> Self {
        Self(own)
    }

    /// The regions and time zones of a number's area code. `None` if it is unknown or the number is not North American.
    #[must_use]
    pub fn coverage_of(&self, number: E164) -> Option<AreaCodeCoverage> {
        let area = number.north_american()?.area;
        self.0.get(&area).cloned().or_else(|| {
            let AreaCode { region, zones, .. } = lookup(area)?;
            let zones = zones.iter().map(ToString::to_string).collect();
            Some(AreaCodeCoverage { zones, regions: vec![(*region).to_owned()] })
        })
    }

    /// The time zones of a number's area code, as IANA names.
    #[must_use]
    pub fn zones_of(&self, number: E164) -> Option<Vec<String>> {
        self.coverage_of(number).map(|coverage| coverage.zones)
    }
}

/// The country, `US` or `CA`, of a state or province by its postal abbreviation.
#[must_use]
pub fn country_of(region: &str) -> Option<&'static str> {
    table().known().find(|code| code.region == region).map(|code| code.country)
}

/// The time zones of a state or province by its postal abbreviation in capitals: those of all its area codes, sorted.
#[must_use]
pub fn zones_of_region(region: &str) -> Option<&'static [&'static str]> {
    table().regions.get(region).map(Vec::as_slice)
}

/// Every time zone of the table, sorted: the possible zones of a patient whose location is unknown.
pub fn all_zones() -> impl Iterator<Item = &'static str> {
    let zones: BTreeSet<_> = table().regions.values().flatten().copied().collect();
    zones.into_iter()
}

fn table() -> &'static EmbeddedTable {
    static PARSED: OnceLock<EmbeddedTable> = OnceLock::new();
    PARSED.get_or_init(|| {
        let mut table = EmbeddedTable { codes: vec![None; 1_000], regions: BTreeMap::new() };
        let lines = TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        for (area, code) in lines.filter_map(parse_line) {
            table.codes[usize::from(area)] = Some(code);
        }
        table.regions = regions_of(table.known());
        table
    })
}

impl EmbeddedTable {
    fn known(&self) -> impl Iterator<Item = &AreaCode> {
        self.codes.iter().flatten()
    }
}

/// Parses a line: `area_code country region zones overlay_of`, separated by tabs.
fn parse_line(line: &'static str) -> Option<(u16, AreaCode)> {
    let mut cells = line.split('\t');
    let code = cells.next()?.parse().ok()?;
    let (country, region) = (cells.next()?, cells.next()?);
    let zones = cells.next()?.split(',').collect();
    Some((code, AreaCode { country, region, zones }))
}

fn regions_of<'a>(codes: impl Iterator<Item = &'a AreaCode>) -> BTreeMap<&'static str, Vec<&'static str>> {
    let mut regions: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for code in codes {
        regions.entry(code.region).or_default().extend(code.zones.iter().copied());
    }
    regions.into_iter().map(|(region, zones)| (region, zones.into_iter().collect())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zone::Zone;

    #[test]
    fn every_line_of_the_table_is_read() {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(table().known().count(), lines);
        assert!(lines > 400);
    }

    #[test]
    fn every_zone_of_the_table_has_rules() {
        for zone in table().known().flat_map(|code| &code.zones) {
            assert!(Zone::named(zone).is_ok(), "{zone}");
        }
    }

    #[test]
    fn an_overlay_has_the_zones_of_the_code_it_overlays() {
        assert_eq!(zones_of(312), Some(["America/Chicago"].as_slice()));
        assert_eq!(zones_of(689), zones_of(407));
        assert_eq!(zones_of(257), zones_of(250));
    }

    #[test]
    fn a_code_outside_the_table_is_unknown() {
        for area in [0, 100, 436, 800, 876, 999] {
            assert_eq!(zones_of(area), None, "{area}");
        }
    }

    #[test]
    fn a_campaigns_area_code_overrides_the_table() {
        let own = AreaCodeCoverage::parse("OH").expect("a state");
        assert_eq!((own.zones.len(), own.regions.as_slice()), (1, ["OH".to_owned()].as_slice()));
        assert_eq!(AreaCodeCoverage::parse("Mars/Olympus"), None);
        let codes = AreaCodes::with([(436, own.clone())].into());
        let region = |text| codes.coverage_of(E164::parse(text).expect("a number"));
        assert_eq!(region("+14365550142"), Some(own));
        assert_eq!(region("+13125550142").map(|found| found.regions), Some(vec!["IL".to_owned()]));
        assert_eq!(region("+19995550142"), None);
        assert_eq!((country_of("ON"), country_of("TX"), country_of("XX")), (Some("CA"), Some("US"), None));
    }

    #[test]
    fn a_state_has_the_zones_of_all_its_codes() {
        assert_eq!(zones_of_region("IL"), Some(["America/Chicago"].as_slice()));
        assert_eq!(zones_of_region("IN"), Some(["America/Chicago", "America/New_York"].as_slice()));
        assert_eq!(zones_of_region("il"), None);
    }
}
