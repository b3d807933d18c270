//! Lists of invented patients.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::LazyLock;

use callrounds::phone::area_codes;

/// How a list's rows differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// As in life.
    Usual,
    /// All rows have one number.
    OneNumber,
    /// All rows have one key.
    OneKey,
}

const FIRST: [&str; 24] = [
    "Ana", "Benjamin", "Carla", "Daniel", "Elena", "Felix", "Grace", "Hugo", "Iris", "Jonas", "Kira", "Leo", "Maya",
    "Noah", "Olga", "Paul", "Quentin", "Rosa", "Samuel", "Tara", "Ugo", "Vera", "Walter", "Zoë",
];
const LAST: [&str; 24] = [
    "Acheampong",
    "Brandt",
    "Castillo",
    "Diaz",
    "Eriksen",
    "Fontaine",
    "Garcia",
    "Hale",
    "Ito",
    "Jensen",
    "Khan",
    "Lopez",
    "Murray",
    "Novak",
    "O'Brien",
    "Patel",
    "Quinn",
    "Rossi",
    "Smith",
    "Tran",
    "Underwood",
    "Vogel",
    "Wong",
    "Young",
];
const PREFERENCES: [&str; 5] = ["", "mornings", "afternoons", "any time", "not on Fridays"];

/// Writes a list of invented patients in the demonstration's columns: one in ten shares the number of the row before,
/// one in a hundred has a cell that needs a closer look, and as many no number or the practice's `DoNotCall`.
pub fn write_list(path: &Path, rows: u32, shape: Shape) -> std::io::Result<u64> {
    let mut file = BufWriter::new(File::create(path)?);
    writeln!(
        file,
        "PatNum,LName,FName,Preferred,Birthdate,WirelessPhone,HmPhone,Guarantor,DateDue,DatePrevious,DateScheduled,\
         PatStatus,DoNotCall,Preference"
    )?;
    let mut dice = Dice(20_261_124);
    for row in 0..rows {
        let of = if row % 10 == 9 { row - 1 } else { row };
        writeln!(
            file,
            "{id},{last},{first},,{born},{phone},,{guarantor},2026-{month:02}-18,2026-06-{day:02},0001-01-01,Patient,\
             {ban},{preference}",
            id = 1_000_000 + if shape == Shape::OneKey { 0 } else { row },
            guarantor = 1_000_000 + of,
            last = dice.one_of(&LAST),
            first = dice.one_of(&FIRST),
            born = born(&mut dice),
            phone = if shape == Shape::OneNumber { "312-555-0242".to_owned() } else { phone(row, of) },
            month = 1 + dice.below(12),
            day = 1 + dice.below(28),
            ban = if dice.below(100) == 0 { "Yes" } else { "No" },
            preference = dice.one_of(&PREFERENCES),
        )?;
    }
    file.flush()?;
    Ok(path.metadata()?.len())
}

fn born(dice: &mut Dice) -> String {
    format!("{}-{:02}-{:02}", 1935 + dice.below(85), 1 + dice.below(12), 1 + dice.below(28))
}

/// The number of household `of`, in one of the ways in which people write one. The numbers are in no order, as in life.
/// Those reserved for fiction would not do for a million households; these begin with 555 as they do, and nobody dials.
fn phone(row: u32, of: u32) -> String {
    static CODES: LazyLock<Vec<u16>> =
        LazyLock::new(|| (200..1_000).filter(|code| area_codes::lookup(*code).is_some()).collect());
    let codes = CODES.len() as u64;
    let place = (u64::from(of) * 7_919_993) % (codes * 2 * 9_800);
    let (code, rest) = (CODES[(place % codes) as usize], place / codes);
    let (exchange, line) = (555 + rest / 9_800, 200 + rest % 9_800);
    match row % 100 {
        40 => format!("H: {code}-{exchange}-{line:04}"),
        70 => String::new(),
        _ => match row % 4 {
            0 => format!("{code}-{exchange}-{line:04}"),
            1 => format!("({code}) {exchange}-{line:04}"),
            2 => format!("{code}.{exchange}.{line:04}"),
            _ => format!("{code}{exchange}{line:04}"),
        },
    }
}

/// Seeded: every run has the same list (`splitmix64`).
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut drawn = self.0;
        drawn = (drawn ^ (drawn >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        drawn = (drawn ^ (drawn >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((drawn ^ (drawn >> 31)) % u64::from(sides)) as u32
    }

    fn one_of<'a>(&mut self, choice: &[&'a str]) -> &'a str {
        choice[self.below(choice.len() as u32) as usize]
    }
}
