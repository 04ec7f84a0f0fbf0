//! A pretend site database over real TDS.
