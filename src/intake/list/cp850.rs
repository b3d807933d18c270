//! CP850, the encoding of DOS in western Europe: old practice systems still export in it. ASCII, and a table for the rest.

/// The characters of the bytes 0x80 to 0xff.
const UPPER_HALF: &str = "\
    ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒ\
    áíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐\
    └┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀\
    ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u{ad}±‗¾¶§÷¸°¨·¹³²■\u{a0}\
";

/// Replaces `into` by the text of `bytes`, in UTF-8.
pub(super) fn decode(bytes: &[u8], into: &mut Vec<u8>) {
    into.clear();
    let mut buffer = [0; 4];
    for byte in bytes {
        into.extend_from_slice(character(*byte).encode_utf8(&mut buffer).as_bytes());
    }
}

/// The character of a byte.
pub(super) fn character(byte: u8) -> char {
    if byte.is_ascii() {
        return char::from(byte);
    }
    UPPER_HALF.chars().nth(usize::from(byte) - 0x80).unwrap_or(char::REPLACEMENT_CHARACTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_a_character_and_the_usual_letters_are_where_dos_had_them() {
        assert_eq!(UPPER_HALF.chars().count(), 128);
        for (byte, expected) in
            [(0x82, 'é'), (0x81, 'ü'), (0xa4, 'ñ'), (0xa5, 'Ñ'), (0x90, 'É'), (0xe1, 'ß'), (0xa0, 'á')]
        {
            assert_eq!(character(byte), expected);
        }
    }
}
