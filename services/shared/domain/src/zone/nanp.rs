//! Area codes of the North American Numbering Plan by time zone.
//!
//! Facts of the plan (NANPA and CNAC publish which state, province or country an area code serves) and of the zones those
//! keep. An area code that reaches over a border of zones has both. Codes of no place (800, 500, 600, …) are not here: their
//! owners may live anywhere under +1.

use super::zones_of;

const EASTERN: &str = "America/New_York";
const CENTRAL: &str = "America/Chicago";
const MOUNTAIN: &str = "America/Denver";
const ARIZONA: &str = "America/Phoenix";
const PACIFIC: &str = "America/Los_Angeles";
const NEWFOUNDLAND: &str = "America/St_Johns";
const ATLANTIC: &str = "America/Halifax";
const ATLANTIC_STANDARD: &str = "America/Blanc-Sablon";
const TORONTO: &str = "America/Toronto";
const EASTERN_STANDARD: &str = "America/Atikokan";
const WINNIPEG: &str = "America/Winnipeg";
const NUNAVUT_CENTRAL: &str = "America/Resolute";
const NUNAVUT_MOUNTAIN: &str = "America/Cambridge_Bay";
const SASKATCHEWAN: &str = "America/Regina";
const ALBERTA: &str = "America/Edmonton";
const MOUNTAIN_STANDARD: &str = "America/Creston";
const VANCOUVER: &str = "America/Vancouver";

/// Zones, and the area codes of the United States and Canada that keep them.
const AREAS: &[(&[&str], &str)] = &[
    // Connecticut, Delaware, Columbia, Georgia, Maine, Maryland, Massachusetts
    (
        &[EASTERN],
        "203 475 860 959 302 202 771 229 404 470 478 678 706 762 770 912 943 207 227 240 301 410 443 667",
    ),
    (&[EASTERN], "339 351 413 508 617 774 781 857 978"),
    // New Hampshire, New Jersey, New York
    (
        &[EASTERN],
        "603 201 551 609 640 732 848 856 862 908 973 212 315 329 332 347 363 465 516 518 585 607 624 631",
    ),
    (&[EASTERN], "646 680 716 718 838 845 914 917 929 934"),
    // the Carolinas, Ohio, Pennsylvania, Rhode Island
    (
        &[EASTERN],
        "252 336 472 704 743 828 910 919 980 984 803 821 839 843 854 864 216 220 234 283 326 330 380 419",
    ),
    (
        &[EASTERN],
        "436 440 513 567 614 740 937 215 223 267 272 412 445 484 570 582 610 717 724 814 835 878 401",
    ),
    // Vermont, the Virginias, Florida, Michigan, Indiana, Kentucky, Tennessee
    (
        &[EASTERN],
        "802 276 434 540 571 686 703 757 804 826 948 304 681 239 305 321 324 352 386 407 561 645 656 689",
    ),
    (&[EASTERN], "727 728 754 772 786 813 863 904 941 954 231 248 269 313 517 586 616 679 734 810 947 989"),
    (&[EASTERN], "260 317 463 765 502 859 865"),
    // the Florida panhandle, upper Michigan, and the edges of Indiana, Kentucky and Tennessee
    (&[EASTERN, CENTRAL], "448 850 906 219 574 812 930 606 423"),
    (&[CENTRAL, EASTERN], "270 364 931"),
    // Alabama, Arkansas, Illinois, Iowa, Louisiana, Minnesota, Mississippi, Missouri
    (
        &[CENTRAL],
        "205 251 256 334 483 659 938 327 479 501 870 217 224 309 312 331 447 464 618 630 708 730 773 779 815",
    ),
    (&[CENTRAL], "847 861 872 319 515 563 641 712 225 318 337 457 504 985 218 320 507 612 651 763 924 952"),
    (&[CENTRAL], "228 471 601 662 769 235 314 417 557 573 636 660 816 975"),
    // Oklahoma, Tennessee, Texas, Wisconsin, and most of Kansas and Nebraska
    (
        &[CENTRAL],
        "405 539 572 580 918 615 629 729 731 901 210 214 254 281 325 346 361 409 430 469 512 621 682 713 726 737",
    ),
    (
        &[CENTRAL],
        "806 817 830 832 903 936 940 945 956 972 979 262 274 353 414 534 608 715 920 316 913 402 531",
    ),
    // the west of Kansas, Nebraska, Texas and the Dakotas
    (&[CENTRAL, MOUNTAIN], "620 785 308 432 605 701"),
    (&[MOUNTAIN, CENTRAL], "915"),
    // Colorado, Montana, New Mexico, Utah, Wyoming
    (&[MOUNTAIN], "303 719 720 748 970 983 406 505 575 385 435 801 307"),
    // Arizona, where the Navajo Nation keeps Denver's time
    (&[ARIZONA], "480 520 602 623"),
    (&[ARIZONA, MOUNTAIN], "928"),
    // Idaho, and the east of Oregon and Nevada
    (&[MOUNTAIN, PACIFIC], "208 986"),
    (&[PACIFIC, MOUNTAIN], "458 541 775"),
    // California, Nevada, Oregon, Washington
    (
        &[PACIFIC],
        "209 213 279 310 323 341 350 357 369 408 415 424 442 510 530 559 562 619 626 628 650 657 661 669",
    ),
    (&[PACIFIC], "707 714 738 747 760 805 818 820 831 837 840 858 909 916 925 935 949 951 702 725 503 971"),
    (&[PACIFIC], "206 253 360 425 509 564"),
    (&["America/Anchorage", "America/Adak"], "907"),
    (&["Pacific/Honolulu"], "808"),
    // Canada, from east to west
    (&[NEWFOUNDLAND, ATLANTIC, ATLANTIC_STANDARD], "709 879"),
    (&[ATLANTIC], "428 506 782 902 851"),
    (&[TORONTO, ATLANTIC, ATLANTIC_STANDARD], "367 418 581"),
    (&[TORONTO], "263 354 438 450 468 514 579 819 873"),
    (&[TORONTO], "226 249 289 343 365 382 387 416 437 460 519 548 613 647 683 705 742 753 905 942"),
    (&[TORONTO, WINNIPEG, EASTERN_STANDARD], "807"),
    (&[WINNIPEG], "204 431 584"),
    (&[SASKATCHEWAN, ALBERTA], "306 474 639"),
    (&[ALBERTA], "368 403 568 587 780 825"),
    (&[VANCOUVER, MOUNTAIN_STANDARD, ALBERTA], "236 250 257 672 778"),
    (&[VANCOUVER], "604"),
    (&[ALBERTA, MOUNTAIN_STANDARD, TORONTO, NUNAVUT_CENTRAL, NUNAVUT_MOUNTAIN, EASTERN_STANDARD], "867"),
];

/// The other countries of the plan, and their area codes.
const COUNTRIES: &[(&str, &str)] = &[
    ("AG", "268"),
    ("AI", "264"),
    ("AS", "684"),
    ("BB", "246"),
    ("BM", "441"),
    ("BS", "242"),
    ("DM", "767"),
    ("DO", "809 829 849"),
    ("GD", "473"),
    ("GU", "671"),
    ("JM", "658 876"),
    ("KN", "869"),
    ("KY", "345"),
    ("LC", "758"),
    ("MP", "670"),
    ("MS", "664"),
    ("PR", "787 939"),
    ("SX", "721"),
    ("TC", "649"),
    ("TT", "868"),
    ("VC", "784"),
    ("VG", "284"),
    ("VI", "340"),
];

/// Every area code with its zones.
pub(super) fn areas() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    let abroad = COUNTRIES.iter().map(|(code, areas)| {
        let country = code.parse().expect("the table names known countries");
        (zones_of(country), *areas)
    });
    let rows = AREAS.iter().map(|(zones, areas)| (*zones, *areas)).chain(abroad);
    rows.flat_map(|(zones, areas)| areas.split_ascii_whitespace().map(move |area| (area, zones)))
}
