//! The calling rules of single states, for the preset `us-states`. The table is the embedded `states.tsv`; its header
//! gives its source and the date of its review. Not legal advice.

use std::sync::OnceLock;

use chrono::NaiveTime;

use crate::campaign::DayWindow;

const TABLE: &str = include_str!("states.tsv");

/// One rule of a state. A state may have several, which all apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateRule {
    /// The state's postal abbreviation.
    pub state: &'static str,
    /// Local hours of each weekday, Monday first; `None`: closed.
    pub days: [Option<DayWindow>; 7],
    /// Whether calls on holidays are forbidden.
    pub no_holidays: bool,
    /// The limit on calls to one number in 24 hours.
    pub per_24_hours: Option<u32>,
}

/// Every rule of the table.
pub fn rules() -> &'static [StateRule] {
    static PARSED: OnceLock<Vec<StateRule>> = OnceLock::new();
    PARSED.get_or_init(|| TABLE.lines().filter(|line| !line.starts_with('#')).filter_map(parse).collect())
}

/// A row is `state weekdays saturday sunday holidays per_24_hours binds source`, separated by tabs.
fn parse(line: &'static str) -> Option<StateRule> {
    let cells: Vec<&str> = line.split('\t').collect();
    let [state, weekdays, saturday, sunday, holidays, per_24_hours, _, _] = *cells.as_slice() else { return None };
    let [week, saturday, sunday] = [weekdays, saturday, sunday].map(window);
    Some(StateRule {
        state,
        days: [week, week, week, week, week, saturday, sunday],
        no_holidays: holidays == "closed",
        per_24_hours: per_24_hours.parse().ok(),
    })
}

/// `08:00-20:00`; anything else is closed all day.
fn window(text: &str) -> Option<DayWindow> {
    let (start, end) = text.split_once('-')?;
    let time = |text| NaiveTime::parse_from_str(text, "%H:%M").ok();
    Some(DayWindow { start: time(start)?, end: time(end)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phone::area_codes;

    #[test]
    fn every_row_of_the_table_is_read_and_names_a_state() {
        assert_eq!(rules().len(), TABLE.lines().filter(|line| !line.starts_with('#')).count());
        assert!(rules().iter().all(|rule| area_codes::country_of(rule.state) == Some("US")));
        let closed = rules().iter().flat_map(|rule| rule.days).filter(Option::is_none).count();
        assert_eq!(closed, 5, "an unreadable window counts as closed");
        assert!(rules().iter().flat_map(|rule| rule.days).flatten().all(|window| window.start < window.end));
    }
}
