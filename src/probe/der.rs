//! Elements of DER one after the other, for what the general parsers do not know: tag, definite length, content.

/// The content of the next element, if it has this tag; else nothing is taken.
pub(super) fn take<'a>(input: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
    (input.first() == Some(&tag)).then(|| next(input).map(|(_, content)| content))?
}

/// The next element of definite length.
pub(super) fn next<'a>(input: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    let (tag, rest) = input.split_first()?;
    let (first, mut rest) = rest.split_first()?;
    let mut length = usize::from(*first);
    if *first >= 0x80 {
        let (octets, behind) =
            rest.split_at_checked(usize::from(first & 0x7f)).filter(|(o, _)| matches!(o.len(), 1..=4))?;
        length = octets.iter().fold(0, |length, octet| length << 8 | usize::from(*octet));
        rest = behind;
    }
    let (content, behind) = rest.split_at_checked(length)?;
    *input = behind;
    Some((*tag, content))
}

/// The tag of an element that is known by its number alone.
pub(super) fn context(number: u8) -> u8 {
    0xa0 | number
}

pub(super) const OID: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;
