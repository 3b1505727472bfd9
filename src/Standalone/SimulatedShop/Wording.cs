namespace BeeFormer.Streaming.Standalone.SimulatedShop;

/// <summary>What products of all uses share: brands, lines, materials, colours and the copywriter's phrases. None of it says what a product is used for, and all of it is what its text looks like.</summary>
internal static class Wording
{
    public static readonly string[] Brands =
    [
        "Norrland", "Hearth & Pine", "Casa Verde", "Bluebird", "Oakhurst", "Merrow", "Tandem", "Silverdale", "Copperleaf", "Northgate",
        "Fairweather", "Kingsley", "Larkspur", "Moorfield", "Pebble & Co", "Redwood", "Stonebridge", "Thistle", "Windmere", "Yellowstone",
    ];

    public static readonly string[] Lines =
        ["Classic", "Heritage", "Everyday", "Pro", "Aurora", "Studio", "Compact", "Signature", "Nomad", "Essential", "Atelier", "Summit"];

    public static readonly string[] Colours =
    [
        "black", "white", "slate grey", "forest green", "navy blue", "cherry red", "sand", "copper", "sky blue", "mustard", "ivory", "plum",
        "charcoal", "olive", "teal", "terracotta",
    ];

    public static readonly string[] Materials =
        ["bamboo", "stainless steel", "recycled plastic", "organic cotton", "brushed aluminium", "beech wood", "silicone", "cork", "leather trim", "enamel", "felt", "canvas"];

    public static readonly string[] Sizes = ["small", "medium", "large", "extra large", "family size", "travel size", "twin pack", "set of three", "starter set"];

    public static readonly string[] Openings =
    [
        "{brand} has been a family business since 1921, and the {line} line is what it is known for",
        "The {line} line by {brand} brings a little luxury into every home",
        "A favourite of our customers, now in {colour}",
        "Beautiful, durable and fairly priced: that is {brand}",
        "Part of the {line} collection, designed to look good together",
        "An ideal gift for someone who has everything",
        "Award-winning design from {brand}, in timeless {colour}",
        "Bring home the {line} look in {colour}",
    ];

    public static readonly string[] Makings =
    [
        "Made with {material} in {colour}",
        "Finished in {colour} with details in {material}",
        "{material} parts, tested by hand",
        "Uses responsibly sourced {material}",
        "Comes in {colour}, {size}, packed in recycled card",
        "The {material} gives it a warm, honest feel",
    ];

    /// <summary>The one sentence that tells what the product goes with.</summary>
    public static readonly string[] Fits =
    [
        "Goes with {first} and {second}",
        "Made for {first}, also good with {second}",
        "Suits {first}; see also {second}",
        "{first} ready, {second} friendly",
        "Recommended for {first} and {second}",
        "Chosen for {first}",
    ];

    public static IReadOnlyDictionary<string, string> Departments { get; } = new Dictionary<string, string>
    {
        ["Automotive"] = "Keep out of reach of children and store frost-free",
        ["Baby"] = "Free of BPA, washable and tested to the usual child safety standards",
        ["Bath"] = "Dermatologically tested and kind to the skin",
        ["Books"] = "Richly illustrated, thread-stitched, printed on heavy paper",
        ["Crafts"] = "For beginners and patient hands alike",
        ["Electronics"] = "With mains adapter, quick guide and two years of guarantee",
        ["Food"] = "Store in a cool, dry place and use within three months of opening",
        ["Furniture"] = "Delivered flat-packed, assembled in half an hour",
        ["Garden"] = "Weatherproof and easy to rinse clean",
        ["Health"] = "Please read the leaflet before use",
        ["Home"] = "A tidy home starts here",
        ["Kitchen"] = "Dishwasher safe and easy to clean",
        ["Music"] = "Set up and tuned by our workshop before it leaves the house",
        ["Office"] = "Order ten for a better price",
        ["Outdoors"] = "Light, tough and water-repellent",
        ["Pets"] = "Approved by vets, loved by their patients",
        ["Sports"] = "Breathable, light and made to move with you",
        ["Tools"] = "Hardened steel, a firm grip and a lifetime of use",
        ["Toys"] = "For ages three and up, with no small parts",
    };
}
