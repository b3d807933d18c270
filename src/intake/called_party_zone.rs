//! The time zones in which a called party may be: by the row's time zone, state or province and postcode, and by the
//! number's area code (`calling-rules.md`, Local time of the called party).

use std::collections::BTreeSet;

use super::postcode;
use crate::campaign::Calling;
use crate::campaign::ZoneMode;
use crate::entry::{CalledPartyZones, ZoneSource};
use crate::phone::{E164, area_codes};
use crate::zone::Zone;

/// The cells of a row that give the patient's time zone; empty if the row has none.
#[derive(Clone, Copy, Default)]
pub(super) struct ZoneCells<'r> {
    pub(super) zone: &'r str,
    pub(super) state: &'r str,
    pub(super) postcode: &'r str,
}

impl ZoneCells<'_> {
    fn are_empty(self) -> bool {
        self.zone.is_empty() && self.state.is_empty() && self.postcode.is_empty()
    }
}

/// The row's time zone is not a known one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct UnknownRowZone;

/// All zones that the evidence allows. The zones of all evidence are united, because a call must be within hours in
/// each of them; only the row's own zone replaces the others, if the campaign says so (`zone_mode`). The source of the
/// result is the best evidence.
pub(super) fn zones_of(row: ZoneCells<'_>, phone: E164, calling: &Calling) -> Result<CalledPartyZones, UnknownRowZone> {
    if row.are_empty() {
        let (zones, source) = match calling.area_codes.zones_of(phone) {
            Some(zones) => (zones, ZoneSource::AreaCode),
            None => (Vec::new(), ZoneSource::Unknown),
        };
        return Ok(CalledPartyZones { zones: sorted(zones), regions: Vec::new(), source });
    }
    let by_row = if row.zone.is_empty() { None } else { Some(zones_named(row.zone)?) };
    let state = region_of_state(row.state);
    let postcode = postcode::region_of(row.postcode);
    let zones_in = |region: Option<&str>| region.and_then(area_codes::zones_of_region).map(owned);
    let evidence = [
        (ZoneSource::Row, by_row),
        (ZoneSource::State, zones_in(state)),
        (ZoneSource::Postcode, zones_in(postcode)),
        (ZoneSource::AreaCode, calling.area_codes.zones_of(phone)),
    ];
    let regions: BTreeSet<String> = state.into_iter().chain(postcode).map(ToOwned::to_owned).collect();
    let regions = regions.into_iter().collect();
    let mut known = evidence.into_iter().filter_map(|(source, zones)| zones.map(|zones| (source, zones)));
    let Some((source, first)) = known.next() else {
        return Ok(CalledPartyZones { zones: Vec::new(), regions, source: ZoneSource::Unknown });
    };
    let mut zones: BTreeSet<String> = first.into_iter().collect();
    if source != ZoneSource::Row || calling.zone_mode == ZoneMode::Intersect {
        zones.extend(known.flat_map(|(_, zones)| zones));
    }
    Ok(CalledPartyZones { zones: zones.into_iter().collect(), regions, source })
}

fn sorted(mut zones: Vec<String>) -> Vec<String> {
    zones.sort_unstable();
    zones.dedup();
    zones
}

fn owned(zones: &[&str]) -> Vec<String> {
    zones.iter().map(ToString::to_string).collect()
}

/// The zones for an IANA name or a common abbreviation. Mountain time includes Arizona's, which has no daylight saving
/// time.
fn zones_named(name: &str) -> Result<Vec<String>, UnknownRowZone> {
    let plain: String = name.chars().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_lowercase()).collect();
    let word = plain.strip_suffix("time").unwrap_or(&plain);
    let zones: &[&str] = match word {
        "et" | "est" | "edt" | "eastern" => &["America/New_York"],
        "ct" | "cst" | "cdt" | "central" => &["America/Chicago"],
        "mt" | "mst" | "mdt" | "mountain" => &["America/Denver", "America/Phoenix"],
        "pt" | "pst" | "pdt" | "pacific" => &["America/Los_Angeles"],
        "akt" | "akst" | "akdt" | "alaska" => &["America/Anchorage"],
        "ht" | "hst" | "hawaii" => &["Pacific/Honolulu"],
        "at" | "ast" | "adt" | "atlantic" => &["America/Halifax"],
        "nt" | "nst" | "ndt" | "newfoundland" => &["America/St_Johns"],
        _ if !name.contains('/') => return Err(UnknownRowZone),
        _ => return Zone::named(name).map(|zone| vec![zone.name().to_owned()]).map_err(|_| UnknownRowZone),
    };
    Ok(owned(zones))
}

/// Whether a text is a state or province.
pub(super) fn is_region(text: &str) -> bool {
    region_of_state(text).is_some()
}

/// The abbreviation, as in the table of area codes, of a state or province given by abbreviation or name.
fn region_of_state(state: &str) -> Option<&'static str> {
    let upper = state.trim().to_uppercase();
    let named = STATES.iter().find(|(abbreviation, name)| *name == upper || *abbreviation == upper);
    named.map(|(abbreviation, _)| *abbreviation)
}

/// Abbreviations and names of the states and provinces. Prince Edward Island has Nova Scotia's area codes; Yukon and
/// Nunavut have those of the Northwest Territories.
const STATES: [(&str, &str); 72] = [
    ("AB", "ALBERTA"),
    ("AK", "ALASKA"),
    ("AL", "ALABAMA"),
    ("AR", "ARKANSAS"),
    ("AZ", "ARIZONA"),
    ("BC", "BRITISH COLUMBIA"),
    ("CA", "CALIFORNIA"),
    ("CO", "COLORADO"),
    ("CT", "CONNECTICUT"),
    ("DC", "DISTRICT OF COLUMBIA"),
    ("DC", "WASHINGTON DC"),
    ("DE", "DELAWARE"),
    ("FL", "FLORIDA"),
    ("GA", "GEORGIA"),
    ("HI", "HAWAII"),
    ("IA", "IOWA"),
    ("ID", "IDAHO"),
    ("IL", "ILLINOIS"),
    ("IN", "INDIANA"),
    ("KS", "KANSAS"),
    ("KY", "KENTUCKY"),
    ("LA", "LOUISIANA"),
    ("MA", "MASSACHUSETTS"),
    ("MB", "MANITOBA"),
    ("MD", "MARYLAND"),
    ("ME", "MAINE"),
    ("MI", "MICHIGAN"),
    ("MN", "MINNESOTA"),
    ("MO", "MISSOURI"),
    ("MS", "MISSISSIPPI"),
    ("MT", "MONTANA"),
    ("NB", "NEW BRUNSWICK"),
    ("NC", "NORTH CAROLINA"),
    ("ND", "NORTH DAKOTA"),
    ("NE", "NEBRASKA"),
    ("NH", "NEW HAMPSHIRE"),
    ("NJ", "NEW JERSEY"),
    ("NL", "NEWFOUNDLAND"),
    ("NL", "NEWFOUNDLAND AND LABRADOR"),
    ("NM", "NEW MEXICO"),
    ("NS", "NOVA SCOTIA"),
    ("NS", "PE"),
    ("NS", "PRINCE EDWARD ISLAND"),
    ("NT", "NORTHWEST TERRITORIES"),
    ("NT", "NU"),
    ("NT", "NUNAVUT"),
    ("NT", "YT"),
    ("NT", "YUKON"),
    ("NV", "NEVADA"),
    ("NY", "NEW YORK"),
    ("OH", "OHIO"),
    ("OK", "OKLAHOMA"),
    ("ON", "ONTARIO"),
    ("OR", "OREGON"),
    ("PA", "PENNSYLVANIA"),
    ("PR", "PUERTO RICO"),
    ("QC", "QUEBEC"),
    ("QC", "QUÉBEC"),
    ("RI", "RHODE ISLAND"),
    ("SC", "SOUTH CAROLINA"),
    ("SD", "SOUTH DAKOTA"),
    ("SK", "SASKATCHEWAN"),
    ("TN", "TENNESSEE"),
    ("TX", "TEXAS"),
    ("UT", "UTAH"),
    ("VA", "VIRGINIA"),
    ("VI", "VIRGIN ISLANDS"),
    ("VT", "VERMONT"),
    ("WA", "WASHINGTON"),
    ("WI", "WISCONSIN"),
    ("WV", "WEST VIRGINIA"),
    ("WY", "WYOMING"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn calling(mode: ZoneMode) -> Calling {
        let campaign = crate::intake::tests::campaign(crate::campaign::Purpose::Recall);
        Calling { zone_mode: mode, ..campaign.calling }
    }

    fn check(zone: &str, state: &str, phone: &str, mode: ZoneMode) -> (Vec<String>, ZoneSource) {
        let row = ZoneCells { zone, state, postcode: "" };
        let zones = zones_of(row, E164::parse(phone).expect("a number"), &calling(mode)).expect("known zones");
        (zones.zones, zones.source)
    }

    #[test]
    fn evidence_is_united_and_the_best_is_the_source() {
        let (zones, source) = check("", "Illinois", "+12125550142", ZoneMode::Intersect);
        assert_eq!((zones, source), (owned(&["America/Chicago", "America/New_York"]), ZoneSource::State));
        let (zones, source) = check("PT", "", "+12125550142", ZoneMode::Intersect);
        assert_eq!((zones, source), (owned(&["America/Los_Angeles", "America/New_York"]), ZoneSource::Row));
        let (zones, source) = check("", "Jalisco", "+13125550142", ZoneMode::Intersect);
        assert_eq!((zones, source), (owned(&["America/Chicago"]), ZoneSource::AreaCode));
    }

    #[test]
    fn a_row_zone_replaces_the_rest_where_the_campaign_says_so() {
        let (zones, source) = check("America/Denver", "IL", "+12125550142", ZoneMode::RowWins);
        assert_eq!((zones, source), (owned(&["America/Denver"]), ZoneSource::Row));
        let (zones, source) = check("", "IL", "+12125550142", ZoneMode::RowWins);
        assert_eq!((zones, source), (owned(&["America/Chicago", "America/New_York"]), ZoneSource::State));
    }

    #[test]
    fn no_evidence_gives_no_zone() {
        let (zones, source) = check("", "", "+14365550142", ZoneMode::Intersect);
        assert_eq!((zones, source), (vec![], ZoneSource::Unknown));
    }

    #[test]
    fn a_postcode_gives_the_state() {
        let phone = E164::parse("+12125550142").expect("a number");
        let row = ZoneCells { postcode: "80202", ..ZoneCells::default() };
        let zones = zones_of(row, phone, &calling(ZoneMode::Intersect)).expect("known zones");
        assert_eq!(zones.zones, owned(&["America/Denver", "America/New_York"]));
        assert_eq!((zones.regions, zones.source), (owned(&["CO"]), ZoneSource::Postcode));
    }

    #[test]
    fn an_unknown_zone_is_an_error() {
        let phone = E164::parse("+13125550142").expect("a number");
        for name in ["Chicago", "Mars/Olympus", "-06:00"] {
            let row = ZoneCells { zone: name, ..ZoneCells::default() };
            assert_eq!(zones_of(row, phone, &calling(ZoneMode::Intersect)), Err(UnknownRowZone), "{name}");
        }
    }

    #[test]
    fn every_state_of_the_table_of_names_has_zones() {
        for (abbreviation, name) in STATES {
            assert!(area_codes::zones_of_region(abbreviation).is_some(), "{abbreviation}");
            assert_eq!(region_of_state(name), Some(abbreviation), "{name}");
        }
    }
}
