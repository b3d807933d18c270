//! Properties that hold for every input.

use super::*;

/// Bytes that may confuse a parser, or make it rescan its input.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let tokens: Vec<&[u8]> = vec![
        b"\"",
        b"\"\"",
        b",",
        b";",
        b"\n",
        b"\r\n",
        b"\r",
        b"\t",
        b"|",
        b"{",
        b"}",
        b"[",
        b"]",
        b":",
        b"{\"a\":",
        b"\\",
        b"\0",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\xc3",
        b"3125550101",
        b"312-555-0101 ",
        b"(",
        b"+1 ",
        b"x12",
        b"1/2/3",
        b"12:30 ",
        b"Total: ",
        b"PatNum,FName,Cell\n",
        b"1,Ana,3125550101\n",
        b"Last, First (",
        b" ",
        b"null",
        b"0",
    ];
    prop_oneof![
        4 => prop::sample::select(tokens).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 1..6),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_take_more_than_a_second_a_megabyte(
        head in prop_oneof![Just(&b""[..]), Just(&b"PatNum,FName,Cell\n"[..]), Just(&b"["[..]), Just(&b"PatNum;FName;DOB;Cell\n"[..])],
        pieces in prop::collection::vec(hostile(), 1..8),
        size in 1_000..80_000_usize,
    ) {
        let piece = pieces.concat();
        let bytes: Vec<u8> = head.iter().chain(piece.iter().cycle()).copied().take(size).collect();
        let (_, took) = timed(|| run_intake_on(&bytes, &campaign(Purpose::Recall)));
        let most = a_second_a_megabyte(bytes.len());
        prop_assert!(took.is_none_or(|took| took < most), "{took:?} for {} bytes, all like {piece:?}", bytes.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_the_intake_panic_or_lose_a_row(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let _ = run_intake_on(&bytes, &campaign(Purpose::Recall));
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
        let _ = run_intake_on(text.as_bytes(), &campaign(Purpose::Recall));
    }

    #[test]
    fn every_row_of_a_valid_list_is_accounted_for(
        rows in prop::collection::vec((0..30_u32, 0..8_u32, 1950..2026_u32, 0..10_u32), 1..60),
        household: bool,
    ) {
        let mut campaign = campaign(Purpose::Recall);
        campaign.calling.household = household;
        let mut text = format!("{HEADER}\n");
        for (id, phone, year, guarantor) in &rows {
            writeln!(text, "{id},Ana,Ruiz,{year}-01-11,312555010{phone},{guarantor}").expect("written");
        }
        let result = run_intake_on(text.as_bytes(), &campaign).expect("a list");
        prop_assert_eq!(result.summary.counts.read, rows.len() as u64);
    }
}
