//! Where a called party may be: by the row's zone, its state or province, its postcode's, and the number's area code
//! (`calling-rules.md`, Local time of the called party).

use std::collections::BTreeSet;

use super::postcode;
use crate::campaign::Calling;
use crate::campaign::ZoneMode;
use crate::entry::{CalledPartyZones, ZoneSource};
use crate::phone::{E164, area_codes};
use crate::zone::Zone;

/// What a row says about where its patient is; empty where it says nothing.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RowPlace<'r> {
    pub(super) zone: &'r str,
    pub(super) state: &'r str,
    pub(super) postcode: &'r str,
}

impl RowPlace<'_> {
    fn is_silent(self) -> bool {
        self.zone.is_empty() && self.state.is_empty() && self.postcode.is_empty()
    }
}

/// The row's zone is none that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct UnknownRowZone;

/// Every zone that anything known about the called party allows. Evidence is added up, since each call must be in hours
/// that suit all of it; only a row's own zone replaces the rest, where the campaign says so. The source is the best
/// evidence there is.
pub(super) fn zones_of(row: RowPlace<'_>, phone: E164, calling: &Calling) -> Result<CalledPartyZones, UnknownRowZone> {
    if row.is_silent() {
        let (zones, source) = match calling.area_codes.zones_of(phone) {
            Some(zones) => (zones, ZoneSource::AreaCode),
            None => (Vec::new(), ZoneSource::Unknown),
        };
        return Ok(CalledPartyZones { zones: in_order(zones), regions: Vec::new(), source });
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

fn in_order(mut zones: Vec<String>) -> Vec<String> {
    zones.sort_unstable();
    zones.dedup();
    zones
}

fn owned(zones: &[&str]) -> Vec<String> {
    zones.iter().map(ToString::to_string).collect()
}

/// An IANA name, or what people call their zone. Mountain time may be Arizona's, which keeps no summer time.
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

/// A state or province by its abbreviation or name, as the table of area codes has it; `None` for what is neither.
fn region_of_state(state: &str) -> Option<&'static str> {
    let upper = state.trim().to_uppercase();
    let named = STATES.iter().find(|(abbreviation, name)| *name == upper || *abbreviation == upper);
    named.map(|(abbreviation, _)| *abbreviation)
}

/// Names of the states and provinces. Prince Edward Island shares Nova Scotia's area codes, and Yukon and Nunavut those
/// of the Northwest Territories.
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
        let row = RowPlace { zone, state, postcode: "" };
        let zones = zones_of(row, E164::parse(phone).expect("a number"), &calling(mode)).expect("known zones");
        (zones.zones, zones.source)
    }

    #[test]
    fn evidence_adds_up_and_the_best_is_named() {
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
    fn nothing_known_is_anywhere() {
        let (zones, source) = check("", "", "+14365550142", ZoneMode::Intersect);
        assert_eq!((zones, source), (vec![], ZoneSource::Unknown));
    }

    #[test]
    fn a_postcode_says_what_a_missing_state_does_not() {
        let phone = E164::parse("+12125550142").expect("a number");
        let row = RowPlace { postcode: "80202", ..RowPlace::default() };
        let zones = zones_of(row, phone, &calling(ZoneMode::Intersect)).expect("known zones");
        assert_eq!(zones.zones, owned(&["America/Denver", "America/New_York"]));
        assert_eq!((zones.regions, zones.source), (owned(&["CO"]), ZoneSource::Postcode));
    }

    #[test]
    fn a_zone_that_nobody_knows_is_an_error() {
        let phone = E164::parse("+13125550142").expect("a number");
        for name in ["Chicago", "Mars/Olympus", "-06:00"] {
            let row = RowPlace { zone: name, ..RowPlace::default() };
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
