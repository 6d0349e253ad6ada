/// What columns of German, French, Spanish, Italian, Portuguese and Dutch files are called, with and without accents. Only words that
/// mean nothing else in an English heading.
enum EuropeanSynonyms {
    static let words: [String: [String]] = [
        "full_name": [
            "vollständiger name", "kundenname", "nom complet", "nom et prénom", "nom du client", "nombre completo", "nombre y apellidos",
            "nome completo", "nome e cognome", "nome do cliente", "nominativo", "naam", "volledige naam", "klantnaam", "raison sociale",
            "razón social", "razon social", "ragione sociale", "razão social",
        ],
        "family_name": [
            "nachname", "familienname", "nom", "nom de famille", "apellido", "apellidos", "primer apellido", "cognome", "apelido", "sobrenome",
            "achternaam", "familienaam",
        ],
        "given_name": ["vorname", "prénom", "prenom", "nombre", "nombre de pila", "nome", "primeiro nome", "voornaam"],
        "gender": ["geschlecht", "sexe", "sexo", "género", "sesso", "geslacht"],
        "birth_date": [
            "geburtsdatum", "geburtstag", "date de naissance", "naissance", "fecha de nacimiento", "nacimiento", "data di nascita",
            "data de nascimento", "geboortedatum",
        ],
        "phone": [
            "telefon", "telefonnummer", "handynummer", "mobilnummer", "rufnummer", "téléphone", "numéro de téléphone", "numero de telephone",
            "teléfono", "telefono", "móvil", "cellulare", "telefone", "telemóvel", "telefoon", "telefoonnummer", "mobiel",
        ],
        "email": [
            "e-mail-adresse", "courriel", "adresse e-mail", "adresse mail", "correo", "correo electrónico", "correo electronico",
            "posta elettronica", "correio eletrónico", "correio eletrônico",
        ],
        "address": [
            "straße", "strasse", "anschrift", "adresse", "rue", "calle", "dirección", "direccion", "domicilio", "indirizzo", "rua", "endereço",
            "endereco", "morada", "straat", "adres",
        ],
        "city": ["ort", "wohnort", "stadt", "ville", "ciudad", "localidad", "città", "citta", "comune", "cidade", "woonplaats", "gemeente"],
        "postcode": ["plz", "postleitzahl", "code postal", "código postal", "codigo postal", "codice postale"],
        "document_number": ["ausweisnummer", "personalausweisnummer", "dni", "codice fiscale", "cpf"],
        "source_id": [
            "kundennummer", "kunden-nr", "numéro client", "numéro de client", "numero de client", "número de cliente", "numero de cliente",
            "codice cliente", "numero cliente", "klantnummer",
        ],
    ]
}
