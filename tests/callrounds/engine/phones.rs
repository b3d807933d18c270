//! Phone cells compared with libphonenumber: 2,000 cells as practices fill them in, and what its Python port reads in each
//! (`tests/phones/oracle.py` generated both). The first dialable number must be the same, or absent in both.

use std::fs;

use callrounds::phone::parse_cell::{DialRules, numbers_in};

use crate::support::harness::repository;

/// Cells that the two read differently on purpose: the cell, our result, and why.
const DIFFERENCES: [(&str, &str, &str); 2] = [
    ("5165550197; 3505550144", "+15165550197", "two whole numbers are two numbers, not a number with an extension"),
    ("5865550187; 4175550125", "+15865550187", "two whole numbers are two numbers, not a number with an extension"),
];

fn first_number(cell: &str) -> String {
    let rules = DialRules { fiction_allowed: true, own: &[] };
    match numbers_in(cell, rules).as_deref() {
        Ok([first, ..]) => format!("{}{}", first.number.expose(), if first.extension { " ext" } else { "" }),
        Ok([]) | Err(_) => "unusable".to_owned(),
    }
}

#[test]
fn two_thousand_cells_are_read_as_libphonenumber_reads_them() {
    let fixtures = fs::read_to_string(repository().join("tests/phones/oracle.tsv")).expect("the fixtures");
    let mut compared = 0;
    let mut differing = Vec::new();
    for line in fixtures.lines().filter(|line| !line.starts_with('#')) {
        let (cell, expected) = line.split_once('\t').expect("a cell and a number");
        let found = first_number(cell);
        let expected = DIFFERENCES.iter().find(|(of, ..)| *of == cell).map_or(expected, |(_, ours, _)| ours);
        compared += 1;
        if found != expected {
            differing.push(format!("{cell:?}: {found}, not {expected}"));
        }
    }
    assert_eq!(compared, 2_000);
    assert!(differing.is_empty(), "{} differ:\n{}", differing.len(), differing.join("\n"));
}
