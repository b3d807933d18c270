//! The statements, each in a file of its own under `sql/`.

/// The text of the statement in `sql/NAME.sql`.
macro_rules! sql {
    ($name:literal) => {
        include_str!(concat!("sql/", $name, ".sql"))
    };
}
pub(super) use sql;

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::entry::AttemptState;

    #[test]
    fn every_statement_knows_which_attempts_were_not_placed() {
        let not_placed = AttemptState::ALL.into_iter().filter(|state| !state.may_have_been_placed());
        let words: Vec<_> = not_placed.map(|state| format!("'{}'", state.name())).collect();
        let mut lists = 0;
        for file in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/ledger/sql")).expect("the statements") {
            let path = file.expect("a file").path();
            let text = fs::read_to_string(&path).expect("text");
            let found = text.split("state NOT IN (").skip(1).filter_map(|rest| rest.split(')').next());
            for list in found.filter(|list| words.iter().any(|word| list.contains(word))) {
                assert_eq!(list, words.join(", "), "{}", path.display());
                lists += 1;
            }
        }
        assert!(lists > 7, "{lists} lists found: they are written in a way that this test does not see");
    }
}
