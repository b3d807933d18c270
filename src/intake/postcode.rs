//! Postcodes: in which state or province one lies.

/// Ranges of the first three digits of a ZIP code, and their state (USPS Publication 65). Military and Pacific codes,
/// whose people may be anywhere, are left out.
const ZIP_RANGES: [(u32, u32, &str); 64] = [
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
    (730, 732, "OK"),
    (733, 733, "TX"),
    (734, 749, "OK"),
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
    (995, 999, "AK"),
];

/// The state or province of a ZIP code, with or without `+4` and its leading zeros, or of a Canadian postal code;
/// `None` for what is neither.
pub(super) fn state_of(postcode: &str) -> Option<&'static str> {
    let compact: String = postcode.chars().filter(|c| !c.is_whitespace()).collect();
    if compact.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return province_of(&compact.to_ascii_uppercase());
    }
    let five = compact.split('-').next().unwrap_or_default();
    // Spreadsheets take leading zeros away, and append `.0`.
    let five = five.strip_suffix(".0").unwrap_or(five);
    let five = if five.len() == 9 { &five[..5] } else { five };
    if !(3..=5).contains(&five.len()) || !five.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let prefix = five.parse::<u32>().ok()? / 100;
    let range = ZIP_RANGES.iter().find(|(from, to, _)| (*from..=*to).contains(&prefix));
    range.map(|(_, _, state)| *state)
}

fn province_of(code: &str) -> Option<&'static str> {
    let mut letters = code.bytes();
    let (first, digit, third) = (letters.next()?, letters.next()?, letters.next()?);
    if !digit.is_ascii_digit() || !third.is_ascii_uppercase() {
        return None;
    }
    Some(match first {
        b'A' => "NL",
        b'B' => "NS",
        b'C' => "PE",
        b'E' => "NB",
        b'G' | b'H' | b'J' => "QC",
        b'K' | b'L' | b'M' | b'N' | b'P' => "ON",
        b'R' => "MB",
        b'S' => "SK",
        b'T' => "AB",
        b'V' => "BC",
        b'X' => "NT",
        b'Y' => "YT",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_postcode_lies_in_a_state_or_province() {
        for (postcode, state) in [
            ("60601", Some("IL")),
            ("60601-1234", Some("IL")),
            ("606011234", Some("IL")),
            ("02134", Some("MA")),
            ("2134", Some("MA")),
            ("2134.0", Some("MA")),
            ("501", Some("NY")),
            ("99501", Some("AK")),
            ("M5V 2T6", Some("ON")),
            ("v6b1a1", Some("BC")),
            ("", None),
            ("SW1A 1AA", None),
            ("09012", None),
            ("unknown", None),
        ] {
            assert_eq!(state_of(postcode), state, "{postcode}");
        }
    }
}
