//! Tests of names: those of a table that somebody wrote who had not seen the rules, and those of the rules' edges.

use super::*;

/// The vendor's limit, in characters.
const MAX: usize = 100;

/// `first|last|preferred`, with a question mark if it is in doubt, or the reason of the rejection.
fn read(cells: NameCells<'_>) -> String {
    match PatientNames::from_cells(cells, MAX) {
        Ok(PatientNames { first, last, preferred, is_doubtful }) => {
            format!("{first}|{last}|{preferred}{}", if is_doubtful { "?" } else { "" })
        }
        Err(reason) => reason.to_string(),
    }
}

fn full(cell: &str) -> String {
    read(NameCells { full: cell, ..NameCells::default() })
}

fn separate(first: &str, last: &str) -> String {
    read(NameCells { first, last, ..NameCells::default() })
}

/// A row of `full-names.tsv`.
struct Row<'t> {
    cell: &'t str,
    first: &'t str,
    last: &'t str,
    preferred: &'t str,
    is_sure: bool,
}

fn rows() -> impl Iterator<Item = Row<'static>> {
    include_str!("../tests/full-names.tsv").lines().skip(1).map(|line| {
        let columns: Vec<&str> = line.split('\t').collect();
        let &[cell, first, last, preferred, sure] = columns.as_slice() else { panic!("{line}") };
        Row { cell, first, last, preferred, is_sure: sure == "yes" }
    })
}

/// The table's own judgement of what is certain: all of its 258 names are read as it expects.
#[test]
fn a_strangers_names_are_read_as_people_say_them() {
    let (mut right, mut wrong) = (0, Vec::new());
    for row in rows().filter(|row| row.is_sure) {
        let found = full(row.cell);
        if found == format!("{}|{}|{}", row.first, row.last, row.preferred) {
            right += 1;
            continue;
        }
        // The whole name is no wrong person, nor is a rejected row.
        let is_safe = found.ends_with('?') || !found.contains('|');
        let addressed = found.rsplit('|').next().unwrap_or_default();
        assert!(is_safe || addressed == row.preferred, "{}: a wrong person is addressed: {found}", row.cell);
        wrong.push(format!("{}: {found}", row.cell));
    }
    assert!(right >= 258, "{right} of the certain names are right; not {wrong:#?}");
}

#[test]
fn where_a_stranger_doubts_the_first_name_nobody_is_addressed_by_it() {
    // Names whose first name is no doubt.
    const CERTAIN: [(&str, &str); 3] = [
        ("Poe, Max V", "whether V is a suffix or an initial, Max is Max"),
        ("Poe, Max I", "likewise"),
        ("Coe, Ann (deceased)", "nobody is called: the note bars the patient"),
    ];
    let mut doubtful = 0;
    for row in rows().filter(|row| !row.is_sure) {
        let found = full(row.cell);
        let is_certain = CERTAIN.iter().any(|(cell, _)| *cell == row.cell);
        let is_safe = found.ends_with('?') || !found.contains('|');
        assert_ne!(is_safe, is_certain, "{}: {found}", row.cell);
        doubtful += 1;
    }
    assert_eq!(doubtful, 82);
}

/// The usual cells have a path of their own: each first name of the table with each last name, in both orders.
#[test]
fn the_usual_name_is_read_as_the_rules_read_it() {
    let mut usual = 0;
    for (one, two) in rows().flat_map(|one| rows().map(move |two| (one.first, two.last))) {
        for cell in
            [format!("{two}, {one}"), format!("{two}, {one} M."), format!("{one} {two}"), format!("{two} {one}")]
        {
            for cell in [cell.to_uppercase(), cell] {
                let Some(name) = full::plain_name(&cell) else { continue };
                assert!(name == full::by_rules(&cell), "{cell}");
                usual += 1;
            }
        }
    }
    assert!(usual > 10_000, "{usual}");
}

#[test]
fn a_cell_of_any_length_is_read_in_little_time() {
    for part in ["jr ", "Jr. ", "(", "dr ", "\"", "- ", "a,", "van ", "'x' ", "&", "1 ", "de la "] {
        let cell = part.repeat(300_000);
        for _ in 0..10 {
            full(&cell);
            separate(&cell, &cell);
        }
    }
}

#[test]
fn a_former_last_name_is_no_nickname() {
    for (cell, expected) in [
        ("Smith, Mary (Jones)", "Mary|Smith|Mary"),
        ("Mary Smith (Jones)", "Mary|Smith|Mary"),
        ("Mary (Smith) Jones", "Mary|Jones|Mary"),
        ("Smith (Jones), Mary", "Mary Smith||Mary Smith?"),
        ("Smith, Mary \"Bunny\"", "Mary|Smith|Bunny"),
        ("Smith, Mary (goes by Bunny)", "Mary|Smith|Bunny"),
        ("Smith, Mary (Peg)", "Mary|Smith|Peg"),
        ("Smith, Mary (VIP)", "Mary|Smith|Mary"),
    ] {
        assert_eq!(full(cell), expected, "{cell}");
    }
    assert_eq!(separate("Mary (Jones)", "Smith"), "Mary|Smith|Mary");
}

#[test]
fn titles_and_credentials_in_separate_columns_are_taken_out() {
    for (first, last, expected) in [
        ("Dr. Ann", "Coe DDS", "Ann|Coe|Ann"),
        ("Ann", "Coe, DDS", "Ann|Coe|Ann"),
        ("Ann, RN", "Coe", "Ann|Coe|Ann"),
        ("John Jr.", "Smith", "John|Smith Jr.|John"),
        ("John", "Smith Jr", "John|Smith Jr|John"),
        ("William (Bill)", "Tolland", "William|Tolland|Bill"),
        ("Mrs.", "Coe", "Mrs. Coe||Mrs. Coe?"),
        ("Mary Ann", "Van Dorn", "Mary Ann|Van Dorn|Mary Ann"),
        ("Do", "Ma", "Do|Ma|Do"),
        ("Prince", "Senior", "Prince|Senior|Prince"),
        ("Test", "Patient", "first_name: not a patient's name"),
        ("UNKNOWN", "Coe", "first_name: missing"),
    ] {
        assert_eq!(separate(first, last), expected, "{first} | {last}");
    }
}

#[test]
fn a_full_name_is_split() {
    for (full, first, last, preferred) in [
        ("O'Brien, Mary-Kate (Katie)", "Mary-Kate", "O'Brien", "Katie"),
        ("SMITH JR, JOHN", "John", "Smith Jr", "John"),
        ("Smith, John M.", "John", "Smith", "John"),
        ("Smith, John (Jack) M.", "John", "Smith", "Jack"),
        ("Smith, John, Jr.", "John", "Smith Jr.", "John"),
        ("John M. Smith", "John", "Smith", "John"),
        ("Mary Ann Smith Jr.", "Mary Ann", "Smith Jr.", "Mary Ann"),
        ("José  Núñez ", "José", "Núñez", "José"),
    ] {
        assert_eq!(super::tests::full(full), format!("{first}|{last}|{preferred}"), "{full}");
    }
    assert_eq!(super::tests::full("Cher"), "Cher||Cher?");
    for empty in ["", ",", "Smith, "] {
        assert_eq!(super::tests::full(empty), "first_name: missing", "{empty}");
    }
}

#[test]
fn only_names_in_all_capitals_get_natural_case() {
    for (first, last, expected) in [
        ("MARY-KATE", "O'BRIEN", "Mary-Kate O'Brien"),
        ("JOHN", "MCDONALD III", "John McDonald III"),
        ("JOSÉ", "NÚÑEZ", "José Núñez"),
        ("AJ", "Smith", "AJ Smith"),
        ("Vincent", "van Gogh", "Vincent van Gogh"),
        ("李", "王", "李 王"),
    ] {
        let names = PatientNames::from_cells(NameCells { first, last, ..NameCells::default() }, MAX).expect("names");
        assert_eq!(format!("{} {}", names.first, names.last), expected);
    }
}

#[test]
fn the_preferred_name_does_not_replace_the_legal_one() {
    let cells = NameCells { first: "Margaret", last: "Hale", preferred: "Peg", full: "ignored, too" };
    let names = PatientNames::from_cells(cells, MAX).expect("names");
    assert_eq!((&*names.first, &*names.preferred), ("Margaret", "Peg"));
    let names =
        PatientNames::from_cells(NameCells { first: "Margaret (Peg)", last: "Hale", ..NameCells::default() }, MAX)
            .expect("names");
    assert_eq!((&*names.first, &*names.preferred), ("Margaret", "Peg"));
}

#[test]
fn a_preferred_name_in_capitals_gets_natural_case_with_the_others() {
    let cells = NameCells { first: "MARGARET", last: "HALE", preferred: "PEG", full: "" };
    assert_eq!(read(cells), "Margaret|Hale|Peg");
    assert_eq!(read(NameCells { first: "Margaret", last: "Hale", preferred: "MJ", full: "" }), "Margaret|Hale|MJ");
}

#[test]
fn a_long_name_is_truncated_between_characters() {
    let first = "é".repeat(150);
    let names = PatientNames::from_cells(NameCells { first: &first, ..NameCells::default() }, MAX).expect("names");
    assert_eq!(names.first.chars().count(), MAX);
}
