//! Headers of two rows: groups of columns above the columns' names, or names that go on in the row below.

use csv::StringRecord;

use super::expectations::IsKnown;

/// The header that two rows make, if the second one goes on with the first: `Guarantor` over `Name` and `Phone`, `Do Not`
/// over `Call`. `None` if the first row is the header.
pub(super) fn joined(first: &StringRecord, second: &StringRecord, is_known: IsKnown<'_>) -> Option<StringRecord> {
    let known = |row: &StringRecord| row.iter().filter(|cell| is_known(cell)).count();
    if !could_be_names(second) {
        return None;
    }
    let both = with_groups(first, second);
    let (of_first, of_second, of_both) = (known(first), known(second), known(&both));
    let is_needed = has_repeated(second) || of_both > of_second;
    match () {
        () if is_needed && of_both > of_first && of_both >= 2 => Some(both),
        () if of_second > of_first && of_second >= 2 => Some(second.clone()),
        () => None,
    }
}

/// Whether a row has no cell with a number in it, as every row of a patient has.
fn could_be_names(row: &StringRecord) -> bool {
    let digits = |cell: &str| cell.bytes().filter(u8::is_ascii_digit).count();
    row.iter().all(|cell| digits(cell) < 3) && row.iter().filter(|cell| !cell.trim().is_empty()).count() >= 2
}

/// Whether two columns have the same name.
pub(super) fn has_repeated(row: &StringRecord) -> bool {
    let names: Vec<&str> = row.iter().map(str::trim).filter(|name| !name.is_empty()).collect();
    names.iter().enumerate().any(|(at, name)| names[..at].contains(name))
}

/// The names of the second row behind those of the first. A group that is written once is above all columns up to the next.
fn with_groups(groups: &StringRecord, names: &StringRecord) -> StringRecord {
    let mut group = "";
    (0..names.len().max(groups.len()))
        .map(|at| {
            let own = groups.get(at).unwrap_or_default().trim();
            if !own.is_empty() {
                group = own;
            }
            let name = names.get(at).unwrap_or_default().trim();
            if name.is_empty() { own.to_owned() } else { format!("{group} {name}").trim().to_owned() }
        })
        .collect()
}
