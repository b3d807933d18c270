//! The state or province of a postcode: a ZIP code by its first three digits (USPS, L002 3-Digit ZIP Code Prefix
//! Matrix), a Canadian code by its first letter (Canada Post, forward sortation areas). As of November 2026.
//!
//! Compared on 25 November 2026 with the 42,789 ZIP codes of the Python package `zipcodes` 3.0.0: every prefix in use
//! has the same state, except single towns across a state border (Fishers Island, NY, in 063; Texhoma, TX, in 739;
//! Alta, WY, in 834), government prefixes (569 and 888), and the Pacific territories in 969, which have no state here.
//! Compared also with the 1,645 forward sortation areas of `pypostalcode` 0.4.1: every letter has the same province.

/// The first and the last prefix of a range, and its state. Military and government prefixes are not included.
const ZIPS: [(u16, u16, &str); 62] = [
    (5, 5, "NY"),
    (6, 7, "PR"),
    (8, 8, "VI"),
    (9, 9, "PR"),
    (10, 27, "MA"),
    (28, 29, "RI"),
    (30, 38, "NH"),
    (39, 49, "ME"),
    (50, 54, "VT"),
    (55, 55, "MA"),
    (56, 59, "VT"),
    (60, 69, "CT"),
    (70, 89, "NJ"),
    (100, 149, "NY"),
    (150, 196, "PA"),
    (197, 199, "DE"),
    (200, 200, "DC"),
    (201, 201, "VA"),
    (202, 205, "DC"),
    (206, 219, "MD"),
    (220, 246, "VA"),
    (247, 268, "WV"),
    (270, 289, "NC"),
    (290, 299, "SC"),
    (300, 319, "GA"),
    (320, 339, "FL"),
    (341, 349, "FL"),
    (350, 369, "AL"),
    (370, 385, "TN"),
    (386, 397, "MS"),
    (398, 399, "GA"),
    (400, 427, "KY"),
    (430, 459, "OH"),
    (460, 479, "IN"),
    (480, 499, "MI"),
    (500, 528, "IA"),
    (530, 549, "WI"),
    (550, 567, "MN"),
    (570, 577, "SD"),
    (580, 588, "ND"),
    (590, 599, "MT"),
    (600, 629, "IL"),
    (630, 658, "MO"),
    (660, 679, "KS"),
    (680, 693, "NE"),
    (700, 714, "LA"),
    (716, 729, "AR"),
    (733, 733, "TX"),
    (730, 749, "OK"),
    (750, 799, "TX"),
    (800, 816, "CO"),
    (820, 831, "WY"),
    (832, 838, "ID"),
    (840, 847, "UT"),
    (850, 865, "AZ"),
    (870, 884, "NM"),
    (885, 885, "TX"),
    (889, 898, "NV"),
    (900, 961, "CA"),
    (967, 968, "HI"),
    (970, 979, "OR"),
    (980, 994, "WA"),
];

/// The abbreviation of the state or province, as in the table of area codes; `None` if the postcode is invalid or its
/// region is not in the table.
pub(super) fn region_of(postcode: &str) -> Option<&'static str> {
    // Spreadsheets may append `.0`.
    let postcode = postcode.trim().strip_suffix(".0").unwrap_or(postcode);
    let code: String = postcode.chars().filter(char::is_ascii_alphanumeric).collect();
    match code.chars().next()? {
        letter if letter.is_ascii_alphabetic() => canadian(letter, &code),
        _ => american(&code),
    }
}

/// The state of a ZIP code. Spreadsheets drop leading zeros, so codes of 3, 4, 7 and 8 digits are completed.
fn american(digits: &str) -> Option<&'static str> {
    let zip = match digits.len() {
        3 | 7 => format!("00{digits}"),
        4 | 8 => format!("0{digits}"),
        5 | 9 => digits.to_owned(),
        _ => return None,
    };
    let prefix: u16 = zip.get(..3)?.parse().ok()?;
    // American Samoa, inside Hawaii's range.
    if zip.starts_with("96799") {
        return None;
    }
    let alaska = (995..=999).contains(&prefix).then_some("AK");
    alaska.or_else(|| ZIPS.iter().find(|(from, to, _)| (*from..=*to).contains(&prefix)).map(|(_, _, state)| *state))
}

/// The province of a Canadian code. All territories count as the Northwest Territories, and Prince Edward Island as
/// Nova Scotia, because they share area codes.
fn canadian(letter: char, code: &str) -> Option<&'static str> {
    let second = code.chars().nth(1)?;
    let province = match letter.to_ascii_uppercase() {
        'A' => "NL",
        'B' | 'C' => "NS",
        'E' => "NB",
        'G' | 'H' | 'J' => "QC",
        'K' | 'L' | 'M' | 'N' | 'P' => "ON",
        'R' => "MB",
        'S' => "SK",
        'T' => "AB",
        'V' => "BC",
        'X' | 'Y' => "NT",
        _ => return None,
    };
    second.is_ascii_digit().then_some(province)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phone::area_codes;

    #[test]
    fn a_postcode_has_a_state_or_province() {
        for (postcode, region) in [
            ("60614", Some("IL")),
            ("60614-1234", Some("IL")),
            ("02134", Some("MA")),
            ("2134", Some("MA")),
            ("501", Some("NY")),
            ("73301", Some("TX")),
            ("99501", Some("AK")),
            ("96801", Some("HI")),
            ("96799", None),
            ("M5V 2T6", Some("ON")),
            ("h3z2y7", Some("QC")),
            ("V6B", Some("BC")),
            ("09012", None),
            ("", None),
            ("n/a", None),
        ] {
            assert_eq!(region_of(postcode), region, "{postcode}");
        }
    }

    #[test]
    fn every_state_of_the_table_has_zones() {
        for (_, _, state) in ZIPS {
            assert!(area_codes::zones_of_region(state).is_some(), "{state}");
        }
    }
}
