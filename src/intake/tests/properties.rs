//! What holds for every input.

use super::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_the_intake_panic_or_lose_a_row(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let _ = take_bytes(&bytes, &campaign(Purpose::Recall));
    }

    #[test]
    fn every_row_of_a_plausible_list_is_accounted_for(
        cells in prop::collection::vec(
            prop::collection::vec("[0-9]{1,2}|312555010[0-9]|[A-Za-z\"',;(){}\\[\\]\n]{0,6}|(19|20)[0-9]{2}-0[1-9]-1[0-9]|", 1..8),
            0..40,
        ),
        by in "[,;|\t]",
    ) {
        let rows: Vec<String> = cells.iter().map(|row| row.join(&by)).collect();
        let text = format!("{}\n{}\n", HEADER.replace(',', &by), rows.join("\n"));
        let _ = take_bytes(text.as_bytes(), &campaign(Purpose::Recall));
    }

    #[test]
    fn every_row_of_a_sound_list_is_accounted_for(
        rows in prop::collection::vec((0..30_u32, 0..8_u32, 1950..2026_u32, 0..10_u32), 1..60),
        household: bool,
    ) {
        let mut campaign = campaign(Purpose::Recall);
        campaign.calling.household = household;
        let mut text = format!("{HEADER}\n");
        for (id, phone, year, guarantor) in &rows {
            writeln!(text, "{id},Ana,Ruiz,{year}-01-11,312555010{phone},{guarantor}").expect("written");
        }
        let taken = take_bytes(text.as_bytes(), &campaign).expect("a list");
        prop_assert_eq!(taken.summary.tally.read, rows.len() as u64);
    }
}
