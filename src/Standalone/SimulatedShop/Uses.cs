namespace BeeFormer.Streaming.Standalone.SimulatedShop;

/// <summary>Something that people do and for which they buy things of many kinds in many departments.</summary>
/// <param name="Signs">Model families, standards, ingredients: words by which a product tells what it is used with. Each product carries a few of them.</param>
/// <param name="Roles">The kinds of product that the use needs.</param>
internal sealed record Use(string Name, string[] Signs, Role[] Roles);

internal readonly record struct Role(string Department, string Noun);

/// <summary>The table of uses: <c>name | signs | Department: noun; …</c>. Nouns repeat across uses on purpose (cases, boxes, brushes, lamps): they say what a thing is, not what it is for.</summary>
internal static class Uses
{
    public static IReadOnlyList<Use> All { get; } = [.. Table.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Parse)];

    private static Use Parse(string line)
    {
        string[] columns = line.Split('|', StringSplitOptions.TrimEntries);
        return new Use(columns[0], columns[1].Split(", "),
            [.. columns[2].Split("; ").Select(role => role.Split(": ")).Select(role => new Role(role[0], role[1]))]);
    }

    private const string Table = """
        home printing | Quillon, Lasermark, duplex, fuser, A4, Inkwell | Electronics: laser printer; Office: toner cartridge; Office: copy paper; Electronics: cable; Furniture: low cabinet; Office: drum unit; Tools: air duster; Office: photo sheets
        tent camping | Tarnfell, guyline, bivouac, Overlander, ripstop, Campgas | Outdoors: tunnel tent; Outdoors: sleeping mat; Kitchen: kettle; Tools: mallet; Electronics: head lamp; Furniture: folding chair; Bath: travel towel; Food: freeze-dried stew
        bread baking | levain, banneton, rye, autolyse, Brotmeister, hydration | Kitchen: proofing basket; Kitchen: cast pot; Food: strong flour; Tools: digital scale; Kitchen: scraper; Crafts: linen cloth; Food: malt powder; Books: handbook
        newborn care | Nestling, swaddle, layette, Babyloo, colic, newborn | Baby: changing mat; Baby: bottle set; Electronics: night light; Furniture: rocking chair; Bath: hooded towel; Home: storage basket; Baby: carrier; Health: thermometer
        home office | Deskwright, ergonomic, webcam, VESA, standup, Worknest | Furniture: height-adjustable desk; Furniture: swivel chair; Electronics: monitor arm; Office: notepad; Electronics: headset; Home: floor lamp; Office: cable tray; Health: wrist rest
        tropical aquarium | Rivulet, nitrite, tetra, CO2, driftwood, Aquadorn | Pets: glass tank; Electronics: water heater; Pets: canister filter; Garden: root tabs; Home: LED lamp; Tools: siphon hose; Food: flake mix; Health: water test kit
        espresso making | portafilter, crema, tamper, Baristo, doppio, arabica | Kitchen: pump machine; Kitchen: burr mill; Food: roasted beans; Kitchen: milk jug; Tools: digital scale; Bath: descaler; Home: cleaning brush; Furniture: low cabinet
        road cycling | Velomare, cassette, peloton, clincher, Shimari, cadence | Sports: bib shorts; Tools: torque wrench; Sports: helmet; Electronics: handlebar computer; Automotive: chain grease; Food: energy gel; Home: wall hook; Health: chamois balm
        watercolour painting | gouache, Aquarelle, sable, Cotman, masking, plein | Crafts: brush set; Crafts: pan palette; Office: cotton pad; Furniture: easel; Home: water pot; Books: handbook; Electronics: desk lamp; Outdoors: carry case
        dog walking | Rufferton, harness, retriever, recall, Pawmark, leash | Pets: lead; Pets: treat pouch; Outdoors: rain jacket; Electronics: head lamp; Food: training bites; Bath: drying towel; Automotive: boot liner; Home: storage bin
        kitchen garden | seedling, Rootwell, brassica, mulch, tomato, allotment | Garden: raised bed; Garden: seed packet; Tools: hand trowel; Food: preserving sugar; Home: watering can; Outdoors: kneeling pad; Kitchen: jar set; Books: handbook
        yoga practice | asana, vinyasa, Lotusway, namaste, bolster, pranayama | Sports: exercise mat; Home: floor cushion; Health: massage oil; Electronics: speaker; Crafts: cotton strap; Food: herbal infusion; Home: incense holder; Bath: cleaning spray
        electric guitar | Stratton, humbucker, plectrum, overdrive, capo, fretboard | Music: solid-body instrument; Music: valve amplifier; Electronics: cable; Music: string set; Furniture: stand; Tools: hex key set; Outdoors: carry case; Books: handbook
        beer brewing | wort, Hopfield, Cascade, fermenter, saison, krausen | Kitchen: steel pot; Food: malt extract; Food: dried yeast; Tools: hydrometer; Garden: hop rhizome; Bath: steriliser; Home: bottle crate; Kitchen: swing-top bottle
        sea fishing | Tideline, mackerel, spinner, bassline, lugworm, Angelsea | Sports: carbon rod; Outdoors: waders; Tools: pliers; Kitchen: filleting knife; Home: cool box; Electronics: head lamp; Food: smoking chips; Crafts: braided line
        car washing | Carnuba, detailing, alloy, Glossline, clearcoat, ceramic-wax | Automotive: pressure washer; Automotive: shampoo; Home: bucket; Bath: microfibre towel; Tools: buffing machine; Health: nitrile gloves; Electronics: hand vacuum; Garden: hose reel
        knitting | merino, Yarnley, garter, worsted, purl, fairisle | Crafts: needle set; Crafts: wool ball; Home: storage basket; Electronics: desk lamp; Books: handbook; Office: row counter; Bath: wool wash; Furniture: rocking chair
        sewing clothes | bobbin, Singerly, overlock, selvedge, darts, hem | Crafts: sewing machine; Crafts: fabric length; Tools: shears; Home: ironing board; Office: tracing paper; Furniture: folding table; Electronics: desk lamp; Crafts: thread set
        wall painting | emulsion, Brushworth, primer, skirting, magnolia, undercoat | Tools: roller set; Home: matt tin; Tools: stepladder; Bath: hand cleaner; Crafts: masking tape; Outdoors: dust sheet; Health: face mask; Garden: bucket
        plumbing repair | compression, Pipewell, olive-ring, PTFE, stopcock, 15mm | Tools: pipe wrench; Bath: basin tap; Home: bucket; Automotive: hose clip; Health: nitrile gloves; Electronics: head lamp; Kitchen: sink strainer; Crafts: sealing tape
        house cat | Whiskerton, catnip, tabby, feline, scratcher, Purrfold | Pets: litter tray; Pets: climbing post; Food: salmon pouches; Home: lint brush; Furniture: window perch; Toys: feather wand; Bath: odour spray; Outdoors: carrier
        backyard hens | coop, Henley, layers, grit, bantam, perch | Pets: timber house; Food: mixed corn; Garden: wire netting; Kitchen: egg rack; Home: straw bale; Tools: scraper; Electronics: door opener; Health: mite powder
        board game night | meeple, Dicewell, expansion, dungeon, Catanova, co-op | Toys: tabletop set; Furniture: folding table; Crafts: felt mat; Food: snack mix; Home: storage box; Office: card sleeves; Electronics: speaker; Kitchen: drinks coaster
        model railway | Hornlake, gauge, ballast, locomotive, OO, signalbox | Toys: train set; Toys: track pack; Electronics: controller; Crafts: scenery kit; Tools: pin vice; Furniture: trestle; Books: handbook; Automotive: light oil
        trail running | fellside, Strideon, gaiter, ultra, heel-drop, singletrack | Sports: studded shoes; Sports: vest; Food: energy gel; Health: blister plasters; Electronics: head lamp; Outdoors: soft flask; Bath: muscle soak; Music: earbuds
        swimming training | lane, Finmark, chlorine, freestyle, kickboard, Speedwell | Sports: goggles; Sports: swimsuit; Bath: shampoo; Home: storage bag; Electronics: lap watch; Health: ear drops; Food: energy bar; Outdoors: travel towel
        home gym | kettlebell, Ironvale, deadlift, olympic, rack-mount, hypertrophy | Sports: weight set; Furniture: bench; Home: rubber tile; Food: protein powder; Health: foam roller; Electronics: speaker; Music: earbuds; Bath: gym towel
        candle making | soywax, Wickham, fragrance, pillar, votive, melt | Crafts: wax flakes; Kitchen: pouring jug; Home: glass jar; Tools: thermometer; Office: label sheet; Health: essential oil; Crafts: cotton braid; Books: handbook
        soap making | lye, saponify, shea, Lathersley, castile, cure | Crafts: silicone mould; Food: coconut oil; Health: essential oil; Kitchen: stick blender; Tools: digital scale; Bath: dish; Office: label sheet; Home: storage rack
        bonsai growing | juniper, akadama, Kibori, nebari, repot, maple | Garden: shallow pot; Garden: soil mix; Tools: branch cutter; Crafts: training wire; Home: watering can; Furniture: stand; Books: handbook; Electronics: grow lamp
        house plants | monstera, Leafington, perlite, succulent, humidity, aroid | Garden: ceramic pot; Garden: soil mix; Home: mister; Electronics: grow lamp; Furniture: stand; Crafts: macrame hanger; Tools: moisture meter; Bath: leaf wipes
        lawn care | turf, Mowbray, scarify, fescue, aerate, moss | Garden: cylinder mower; Garden: seed packet; Tools: edging shears; Automotive: engine oil; Outdoors: boots; Electronics: battery pack; Health: ear defenders; Home: storage bag
        barbecue evenings | brisket, Smokeford, hickory, charcoal, rub, pitmaster | Garden: kettle grill; Food: spice blend; Kitchen: tongs; Electronics: probe; Crafts: apron; Furniture: folding table; Health: heat gloves; Home: fire lighter
        sushi evenings | nori, wasabi, Makisan, dashi, sashimi, shoyu | Kitchen: rolling mat; Food: short-grain rice; Kitchen: knife; Home: lacquer plate; Food: pickled ginger; Tools: whetstone; Books: handbook; Furniture: low table
        curry cooking | masala, cumin, Tandoria, ghee, turmeric, basmati | Kitchen: cast pot; Food: spice blend; Kitchen: mortar; Home: storage tin; Food: long-grain rice; Crafts: apron; Books: handbook; Garden: seed packet
        cake decorating | fondant, buttercream, Icington, piping, ganache, sprinkle | Kitchen: turntable; Food: sugar paste; Crafts: nozzle set; Home: display stand; Tools: airbrush; Office: gift box; Kitchen: tin; Food: gel colour
        toddler play | Tumbletot, stacking, toddler, Duploo, preschool, wobble | Toys: building bricks; Furniture: activity table; Baby: sippy cup; Home: foam tile; Books: picture book; Health: corner guards; Bath: float set; Crafts: finger paint
        school start | Satchelby, phonics, timetable, uniform, pencil, lunchbox | Office: notepad; Outdoors: backpack; Kitchen: snack box; Furniture: small desk; Toys: letter magnets; Crafts: glue stick; Home: name labels; Electronics: alarm clock
        birthday party | confetti, Partyville, bunting, balloon, pinata, candle-set | Home: paper plates; Toys: goody bag filler; Food: sweets mix; Crafts: ribbon; Office: invitation cards; Electronics: speaker; Kitchen: drinks dispenser; Outdoors: pop-up gazebo
        winter skiing | Alpenglow, piste, carving, slalom, binding, gondola | Sports: helmet; Outdoors: shell jacket; Sports: goggles; Health: lip balm; Automotive: roof box; Tools: edge file; Home: boot bag; Electronics: hand warmer
        sailing weekends | Keelson, halyard, regatta, spinnaker, dinghy, bosun | Sports: buoyancy aid; Outdoors: deck shoes; Crafts: braided line; Electronics: radio; Kitchen: thermos; Tools: shackle key; Health: sun cream; Books: handbook
        garage woodwork | dovetail, Joinery, mortise, chisel, walnut, Planewell | Tools: router; Tools: clamp set; Furniture: bench; Home: wood oil; Health: ear defenders; Crafts: veneer sheet; Electronics: dust extractor; Office: marking pencil
        soldering projects | Ohmsley, breadboard, flux, microcontroller, GPIO, resistor | Electronics: iron station; Electronics: parts kit; Tools: pliers; Home: storage box; Crafts: silicone mat; Books: handbook; Office: label sheet; Health: fume filter
        photography | Lumenar, aperture, bokeh, fullframe, telephoto, RAW | Electronics: mirrorless body; Electronics: lens; Outdoors: backpack; Furniture: tripod; Office: photo sheets; Tools: sensor swab; Home: wall frame; Books: handbook
        podcasting | Castwell, cardioid, XLR, preamp, gain, episode | Electronics: microphone; Music: mixing desk; Furniture: boom arm; Home: foam tile; Electronics: headset; Office: cue cards; Electronics: cable; Health: throat pastilles
        piano lessons | Klavier, metronome, arpeggio, pedal, sonata, octave | Music: digital keyboard; Furniture: bench; Books: sheet album; Electronics: headset; Office: manuscript pad; Home: LED lamp; Toys: note cards; Bath: cleaning cloth
        motorbike touring | Ridgeback, pannier, visor, tourer, throttle, biker | Automotive: full-face helmet; Outdoors: rain jacket; Automotive: chain grease; Electronics: intercom; Tools: socket set; Home: garage stand; Health: ear plugs; Bath: bug remover
        caravan holidays | Towmaster, awning, jockey, 12V, motorhome, hookup | Automotive: wheel clamp; Outdoors: windbreak; Kitchen: kettle; Bath: toilet fluid; Electronics: cable; Furniture: folding chair; Tools: levelling ramps; Home: storage bin
        bird watching | Warbler, Finchley, suet, fieldguide, hide, binocular | Electronics: spotting scope; Garden: feeder; Food: seed packet; Outdoors: shell jacket; Books: handbook; Furniture: tripod; Home: nest box; Office: notepad
        sleep better | Slumberland, lavender, blackout, circadian, melatonin, duvet | Home: pillow; Home: window curtain; Health: ear plugs; Electronics: alarm clock; Food: herbal infusion; Bath: bath salts; Furniture: bedside table; Music: noise machine
        curly hair | Curlique, ringlet, leave-in, diffuser, sulphate-free, coil | Bath: shampoo; Bath: conditioner; Electronics: hot-air dryer; Home: satin pillowcase; Health: scalp oil; Tools: wide comb; Outdoors: sun hat; Crafts: satin ribbon
        """;
}
