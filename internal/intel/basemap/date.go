package basemap

// Date is the day of the data of the map that is part of the program; a test
// holds it against the map itself, which is opened only when it is asked.
const Date = "2026-06-17"
