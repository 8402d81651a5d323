"""What fields an Exact Online entity has, of which type, and which of them a client may write.

One string per group of fields, as the vendor's reference lists them: `Name:type`, `*` the key, `!` required on create.
Types: g GUID, s text, s18 code padded to 18, i16 i32 i64 by whole numbers (i64 travels as text), f decimal number,
b yes/no, dt moment, bin base64, nav child rows. A field of the group `read` is ignored, never
refused, when a client sends it.
"""

from __future__ import annotations

TABLES: dict[str, dict[str, str]] = {
    "salesentry/SalesEntries": {
        "read": """
        EntryID*:g AmountDC:f AmountFC:f Created:dt Creator:g CreatorFullName:s CustomerName:s CustomField:s
        Division:i32 DocumentNumber:i32 DocumentSubject:s ExternalLinkDescription:s JournalDescription:s
        Modified:dt Modifier:g ModifierFullName:s PaymentConditionDescription:s PaymentConditionPaymentMethod:s
        Status:i16 StatusDescription:s Type:i32 TypeDescription:s VATAmountDC:f
        """,
        "write": """
        BatchNumber:i32 Currency:s Customer!:g Description:s Document:g DueDate:dt EntryDate:dt EntryNumber:i32
        ExternalLinkReference:s GAccountAmountFC:f InvoiceNumber:i32 IsExtraDuty:b Journal!:s OrderNumber:i32
        PaymentCondition:s PaymentReference:s ProcessNumber:i32 Rate:f ReportingPeriod:i16 ReportingYear:i16
        Reversal:b SalesEntryLines!:nav VATAmountFC:f WithholdingTaxAmountDC:f WithholdingTaxBaseAmount:f
        WithholdingTaxPercentage:f YourRef:s
        """,
    },
    "salesentry/SalesEntryLines": {
        "read": """
        ID*:g AmountDC:f AssetDescription:s CostCenterDescription:s CostUnitDescription:s CustomField:s
        Division:i32 GLAccountCode:s GLAccountDescription:s LineNumber:i32 ProjectDescription:s
        ProjectWBSDescription:s SubscriptionDescription:s TrackingNumberDescription:s Type:i32 VATAmountDC:f
        VATCodeDescription:s
        """,
        "write": """
        AmountFC!:f Asset:g CostCenter:s CostUnit:s Description:s EntryID!:g ExtraDutyAmountFC:f
        ExtraDutyPercentage:f From:dt GLAccount!:g IntraStatArea:s IntraStatCountry:s IntraStatDeliveryTerm:s
        IntraStatTransactionA:s IntraStatTransactionB:s IntraStatTransportMethod:s Notes:s Project:g
        ProjectWBS:g Quantity:f SerialNumber:s StatisticalNetWeight:f StatisticalNumber:s StatisticalQuantity:f
        StatisticalValue:f Subscription:g TaxSchedule:g To:dt TrackingNumber:g VATAmountFC:f VATBaseAmountDC:f
        VATBaseAmountFC:f VATCode:s VATPercentage:f
        """,
    },
    "crm/Accounts": {
        "read": """
        ID*:g AccountManagerFullName:s AccountManagerHID:i32 AddressSource:by BankAccounts:nav BRIN:g
        Classification:s ClassificationDescription:s Costcenter:s CostcenterDescription:s CostPaid:by
        CountryName:s Created:dt Creator:g CreatorFullName:s Currency:s CustomerSince:dt CustomField:s
        Division:i32 Document:g DunsNumber:s InvoiceAccountCode:s InvoiceAccountName:s IsAnonymised:by IsBank:b
        IsMember:b IsPurchase:b IsSales:b LanguageDescription:s LogoThumbnailUrl:s LogoUrl:s Modified:dt
        Modifier:g ModifierFullName:s PaymentConditionPurchaseDescription:s PaymentConditionSalesDescription:s
        PurchaseCurrencyDescription:s PurchaseVATCodeDescription:s ResellerCode:s ResellerName:s
        SalesCurrencyDescription:s SalesTaxScheduleCode:s SalesTaxScheduleDescription:s
        SalesVATCodeDescription:s Source:by StateName:s StatusSince:dt Type:s
        """,
        "write": """
        Accountant:g AccountManager:g ActivitySector:g ActivitySubSector:g AddressLine1:s AddressLine2:s
        AddressLine3:s AutomaticProcessProposedEntry:by Blocked:b BSN:s BusinessType:g CanDropShip:b
        ChamberOfCommerce:s City:s Classification1:g Classification2:g Classification3:g Classification4:g
        Classification5:g Classification6:g Classification7:g Classification8:g Code:s18 CodeAtSupplier:s
        CompanySize:g ConsolidationScenario:by ControlledDate:dt Country:s CreditLinePurchase:f
        CreditLineSales:f DatevCreditorCode:s DatevDebtorCode:s DeliveryAdvice:by DiscountPurchase:f
        DiscountSales:f Email:s EnableSalesPaymentLink:b EndDate:dt EORINumber:s EstablishedDate:dt Fax:s
        GLAccountPurchase:g GLAccountSales:g GLAP:g GLAR:g GlnNumber:s HasWithholdingTaxSales:b
        IgnoreDatevWarningMessage:b IncotermAddressPurchase:s IncotermAddressSales:s IncotermCodePurchase:s
        IncotermCodeSales:s IncotermVersionPurchase:i16 IncotermVersionSales:i16 IntraStatArea:s
        IntraStatDeliveryTerm:s IntraStatSystem:s IntraStatTransactionA:s IntraStatTransactionB:s
        IntraStatTransportMethod:s InvoiceAccount:g InvoiceAttachmentType:i32 InvoicingMethod:i32
        IsAccountant:by IsAgency:by IsCompetitor:by IsExtraDuty:b IsMailing:by IsPilot:b IsReseller:b
        IsSupplier:b Language:s Latitude:f LeadPurpose:g LeadSource:g Logo:bin LogoFileName:s Longitude:f
        MainContact:g Name!:s OINNumber:s Parent:g PayAsYouEarn:s PaymentConditionPurchase:s
        PaymentConditionSales:s PeppolIdentifier:s PeppolIdentifierType:i32 Phone:s PhoneExtension:s Postcode:s
        PriceList:g PurchaseCurrency:s PurchaseLeadDays:i32 PurchaseVATCode:s RecepientOfCommissions:b Remarks:s
        Reseller:g RSIN:s SalesCurrency:s SalesTaxSchedule:g SalesVATCode:s SearchCode:s SecurityLevel:i32
        SeparateInvPerProject:by SeparateInvPerSubscription:by ShippingLeadDays:i32 ShippingMethod:g
        ShowRemarkForSales:b StartDate:dt State:s Status:s TradeName:s UniqueTaxpayerReference:s VATLiability:s
        VATNumber:s Website:s
        """,
    },
    "crm/Contacts": {
        "read": """
        ID*:g AccountIsCustomer:b AccountIsSupplier:b AccountMainContact:g AccountName:s AddressLine2:s
        AddressStreet:s AddressStreetNumber:s AddressStreetNumberSuffix:s AllowMailing:i32 City:s Code:s
        Country:s Created:dt Creator:g CreatorFullName:s CustomField:s Division:i32 FullName:s IsAnonymised:by
        IsMainContact:b Modified:dt Modifier:g ModifierFullName:s PartnerName:s PartnerNamePrefix:s
        PhoneExtension:s PictureThumbnailUrl:s PictureUrl:s Postcode:s State:s TitleAbbreviation:s
        TitleDescription:s
        """,
        "write": """
        Account!:g BirthDate:dt BirthName:s BirthNamePrefix:s BirthPlace:s BusinessEmail:s BusinessFax:s
        BusinessMobile:s BusinessPhone:s BusinessPhoneExtension:s Email:s EndDate:dt FirstName!:s Gender:s
        HID:i32 IdentificationDate:dt IdentificationDocument:g IdentificationUser:g Initials:s
        IsMailingExcluded:b JobTitleDescription:s Language:s LastName!:s LeadPurpose:g LeadSource:g
        MarketingNotes:s MiddleName:s Mobile:s Nationality:s Notes:s Person:g Phone:s Picture:bin PictureName:s
        SocialSecurityNumber:s StartDate:dt Title:s
        """,
    },
    "crm/BankAccounts": {
        "read": """
        ID*:g AccountName:s Bank:g BankDescription:s BankName:s Created:dt Creator:g CreatorFullName:s
        Division:i32 Format:s IBAN:s Modified:dt Modifier:g ModifierFullName:s PaymentServiceAccount:g Type:s
        TypeDescription:s
        """,
        "write": """
        Account!:g BankAccount!:s BankAccountHolderName:s BICCode:s Blocked:b Description:s Main:b
        """,
    },
    "financial/GLAccounts": {
        "read": """
        ID*:g CostcenterDescription:s CostunitDescription:s Created:dt Creator:g CreatorFullName:s CustomField:s
        Division:i32 Modified:dt Modifier:g ModifierFullName:s TypeDescription:s VATDescription:s
        """,
        "write": """
        AllowCostsInSales:by AssimilatedVATBox:i16 BalanceSide:s BalanceType:s BelcotaxType:i32 Code!:s
        Compress:b Costcenter:s Costunit:s DeductibilityPercentages:nav Description!:s DescriptionTermID:i32
        ExcludeVATListing:by ExpenseNonDeductiblePercentage:f IsBlocked:b Matching:b PrivateGLAccount:g
        PrivatePercentage:f ReportingCode:s RevalueCurrency:b SearchCode:s Type:i32 UseCostcenter:by
        UseCostunit:by VATCode:s VATGLAccountType:s VATNonDeductibleGLAccount:g VATNonDeductiblePercentage:f
        VATSystem:s YearEndCostGLAccount:g YearEndReflectionGLAccount:g
        """,
    },
    "financial/Journals": {
        "read": """
        ID*:g BankAccountBICCode:s BankAccountCountry:s BankAccountDescription:s BankAccountIBAN:s
        BankAccountUseSEPA:b BankAccountUseSepaDirectDebit:b BankName:s Created:dt Creator:g CreatorFullName:s
        CurrencyDescription:s CustomField:s Division:i32 GLAccountCode:s GLAccountDescription:s
        GLAccountType:i32 Modified:dt Modifier:g ModifierFullName:s PaymentServiceProviderName:s
        """,
        "write": """
        AllowVariableCurrency:b AllowVariableExchangeRate:b AllowVAT:b AutoSave:b Bank:g BankAccountID:g
        BankAccountIncludingMask:s Code:s Currency:s Description:s GLAccount:g IsBlocked:b
        PaymentInTransitAccount:g PaymentServiceAccountIdentifier:s PaymentServiceProvider:i32 Type:i32
        """,
    },
    "financial/FinancialPeriods": {
        "read": """
        ID*:g Created:dt Creator:g CreatorFullName:s Division:i32 EndDate:dt FinPeriod:i16 FinYear:i16
        Modified:dt Modifier:g ModifierFullName:s StartDate:dt
        """,
    },
    "read/financial/JournalStatusList": {
        "read": """
        Journal*:s Period*:i32 Year*:i32 JournalDescription:s JournalType:i32 JournalTypeDescription:s
        Status:i32 StatusDescription:s
        """,
    },
    "vat/VATCodes": {
        "read": """
        ID*:g AccountCode:s AccountName:s Country:s Created:dt Creator:g CreatorFullName:s CustomField:s
        Division:i32 GLDiscountPurchaseCode:s GLDiscountPurchaseDescription:s GLDiscountSalesCode:s
        GLDiscountSalesDescription:s GLToClaimCode:s GLToClaimDescription:s GLToPayCode:s GLToPayDescription:s
        Modified:dt Modifier:g ModifierFullName:s Percentage:f
        """,
        "write": """
        Account:g CalculationBasis:by Charged:b Code!:s Description!:s EUSalesListing:s ExcludeVATListing:by
        GLDiscountPurchase:g GLDiscountSales:g GLToClaim:g GLToPay:g IntraStat:b IntrastatType:s IsBlocked:b
        LegalText:s OssCountry:s TaxReturnType:i16 Type:s VatDocType:s VatMargin:by VATPartialRatio:i16
        VATPercentages:nav VATTransactionType:s
        """,
    },
    "vat/VatPercentages": {
        "read": """
        ID*:g Created:dt Creator:g CreatorFullName:s Division:i32 EndDate:dt LineNumber:i32 Modified:dt
        Modifier:g ModifierFullName:s Percentage:f StartDate:dt Type:i16 VATCodeID:g
        """,
    },
    "cashflow/PaymentConditions": {
        "write": """
        ID*:g Code!:s CreditManagementScenario:g Description!:s DiscountCalculation:s DiscountPaymentDays:i32
        DiscountPercentage:f PaymentDays:i32 PaymentDiscountType:s PaymentEndOfMonths:i32 PaymentMethod:s
        Percentage:f VATCalculation:s
        """,
        "read": """
        Created:dt Creator:g CreatorFullName:s CreditManagementScenarioCode:s
        CreditManagementScenarioDescription:s Division:i32 Modified:dt Modifier:g ModifierFullName:s
        """,
    },
    "cashflow/Receivables": {
        "write": """
        ID*:g Description:s PaymentMethod:s PaymentReference:s
        """,
        "read": """
        Account:g AccountBankAccountID:g AccountBankAccountNumber:s AccountCode:s AccountContact:g
        AccountContactName:s AccountCountry:s AccountName:s AmountDC:f AmountDiscountDC:f AmountDiscountFC:f
        AmountFC:f BankAccountID:g BankAccountNumber:s CashflowTransactionBatchCode:s Created:dt Creator:g
        CreatorFullName:s Currency:s DirectDebitMandate:g DirectDebitMandateDescription:s
        DirectDebitMandatePaymentType:i16 DirectDebitMandateReference:s DirectDebitMandateType:i16
        DiscountDueDate:dt Division:i32 Document:g DocumentNumber:i32 DocumentSubject:s DueDate:dt EndDate:dt
        EndPeriod:i16 EndToEndID:s EndYear:i16 EntryDate:dt EntryID:g EntryNumber:i32 GLAccount:g
        GLAccountCode:s GLAccountDescription:s InvoiceDate:dt InvoiceNumber:i32 IsBatchBooking:by IsFullyPaid:b
        Journal:s JournalDescription:s LastPaymentDate:dt Modified:dt Modifier:g ModifierFullName:s
        OrderNumber:i32 PaymentCondition:s PaymentConditionDescription:s PaymentDays:i32 PaymentDaysDiscount:i32
        PaymentDiscountPercentage:f PaymentInformationID:s RateFC:f ReceivableBatchNumber:i32
        ReceivableSelected:dt ReceivableSelector:g ReceivableSelectorFullName:s Source:i32 Status:i16
        TransactionAmountDC:f TransactionAmountFC:f TransactionDueDate:dt TransactionEntryID:g TransactionID:g
        TransactionIsReversal:b TransactionReportingPeriod:i16 TransactionReportingYear:i16
        TransactionStatus:i16 TransactionType:i32 YourRef:s
        """,
    },
    "read/financial/ReceivablesList": {
        "read": """
        HID*:i64 AccountCode:s AccountId:g AccountName:s Amount:f AmountInTransit:f CurrencyCode:s Description:s
        DueDate:dt EntryNumber:i32 Id:g InvoiceDate:dt InvoiceNumber:i32 JournalCode:s JournalDescription:s
        Notes:nav YourRef:s
        """,
    },
    "documents/Documents": {
        "read": """
        ID*:g AccountCode:s AccountName:s ContactFullName:s ContractNumber:s Created:dt Creator:g Division:i32
        DocumentFolderCode:s DocumentFolderDescription:s DocumentViewUrl:s HasEmptyBody:b ItemCode:s
        ItemDescription:s Modified:dt Modifier:g ModifierFullName:s ProjectCode:s ProjectDescription:s
        SendMethod:i32 TypeDescription:s
        """,
        "write": """
        Account:g AmountFC:f Body:s Category:g CategoryDescription:s Contact:g ContractID:g CreatorFullName:s
        Currency:s DocumentDate:dt DocumentFolder:g ExpiryDate:dt FinancialTransactionEntryID:g HID:i32
        InheritShare:b Item:g Language:s Opportunity:g Project:g ProposedEntryStatus:i16 SalesInvoiceNumber:i32
        SalesOrderNumber:i32 ScanServiceStatus:i16 ShopOrderNumber:i32 Subject!:s TeamsMeetingId:s Type!:i32
        """,
    },
    "documents/DocumentAttachments": {
        "read": """
        ID*:g FileSize:f Url:s
        """,
        "write": """
        Attachment!:bin Document!:g FileName!:s
        """,
    },
    "documents/DocumentTypes": {
        "read": """
        ID*:i32 Created:dt Description:s DocumentIsCreatable:b DocumentIsDeletable:b DocumentIsUpdatable:b
        DocumentIsViewable:b Modified:dt TypeCategory:i32
        """,
    },
    "documents/DocumentCategories": {
        "read": """
        ID*:g Created:dt Description:s Modified:dt
        """,
    },
    "financialtransaction/TransactionLines": {
        "read": """
        ID*:g Account:g AccountCode:s AccountName:s AmountDC:f AmountFC:f AmountVATBaseFC:f AmountVATFC:f
        Asset:g AssetCode:s AssetDescription:s CostCenter:s CostCenterDescription:s CostUnit:s
        CostUnitDescription:s Created:dt Creator:g CreatorFullName:s Currency:s CustomField:s Date:dt
        Description:s Division:i32 Document:g DocumentNumber:i32 DocumentSubject:s DueDate:dt EntryID:g
        EntryNumber:i32 ExchangeRate:f ExternalLinkDescription:s ExternalLinkReference:s ExtraDutyAmountFC:f
        ExtraDutyPercentage:f FinancialPeriod:i16 FinancialYear:i16 GLAccount:g GLAccountCode:s
        GLAccountDescription:s InvoiceNumber:i32 Item:g ItemCode:s ItemDescription:s JournalCode:s
        JournalDescription:s LineNumber:i32 LineType:i16 Modified:dt Modifier:g ModifierFullName:s Notes:s
        OffsetID:g OrderNumber:i32 PaymentDiscountAmount:f PaymentReference:s Project:g ProjectCode:s
        ProjectDescription:s ProjectWBS:g ProjectWBSDescription:s Quantity:f SerialNumber:s ShopOrder:g
        Status:i16 Subscription:g SubscriptionDescription:s TrackingNumber:s TrackingNumberDescription:s
        Type:i32 VATCode:s VATCodeDescription:s VATPercentage:f VATType:s YourRef:s
        """,
    },
    "financialtransaction/BankEntries": {
        "read": """
        EntryID*:g BankStatementDocumentNumber:i32 BankStatementDocumentSubject:s Created:dt CustomField:s
        Division:i32 JournalDescription:s Modified:dt Status:i16 StatusDescription:s
        """,
        "write": """
        BankEntryLines!:nav BankStatementDocument:g ClosingBalanceFC:f Currency:s EntryNumber:i32
        FinancialPeriod:i16 FinancialYear:i16 JournalCode!:s OpeningBalanceFC:f
        """,
    },
    "financialtransaction/BankEntryLines": {
        "read": """
        ID*:g AccountCode:s AccountName:s AmountDC:f AssetCode:s AssetDescription:s CostCenterDescription:s
        CostUnitDescription:s Created:dt Creator:g CreatorFullName:s CustomField:s Division:i32
        DocumentNumber:i32 DocumentSubject:s EntryNumber:i32 GLAccountCode:s GLAccountDescription:s
        LineNumber:i32 Modified:dt Modifier:g ModifierFullName:s OffsetID:g ProjectCode:s ProjectDescription:s
        ProjectWBSDescription:s VATCodeDescription:s
        """,
        "write": """
        Account:g AmountFC!:f AmountVATFC:f Asset:g CostCenter:s CostUnit:s Date:dt Description:s Document:g
        EntryID!:g ExchangeRate:f GLAccount!:g Notes:s OurRef:i32 Project:g ProjectWBS:g Quantity:f VATCode:s
        VATPercentage:f VATType:s
        """,
    },
    "sync/Deleted": {
        "read": """
        Timestamp*:i64 DeletedBy:g DeletedDate:dt Division:i32 EntityKey:g EntityType:i32 ID:g
        """,
    },
    "current/Me": {
        "read": """
        UserID*:g AccountingDivision:i32 CurrentDivision:i32 CustomerCode:s DivisionCustomer:g
        DivisionCustomerCode:s DivisionCustomerName:s DivisionCustomerSiretNumber:s DivisionCustomerVatNumber:s
        DossierDivision:i32 Email:s EmployeeID:g FirstName:s FullName:s Gender:s Initials:s IsClientUser:b
        IsEmployeeSelfServiceUser:b IsMyFirmLiteUser:b IsMyFirmPortalUser:b IsOEIMigrationMandatory:b
        IsStarterUser:b Language:s LanguageCode:s LastName:s Legislation:i64 MiddleName:s Mobile:s Nationality:s
        PackageCode:s Phone:s PhoneExtension:s PictureUrl:s ServerTime:s ServerUtcOffset:f ThumbnailPicture:bin
        ThumbnailPictureFormat:s Title:s UserName:s
        """,
    },
    "system/Divisions": {
        "read": """
        Code*:i32 AddressLine1:s AddressLine2:s AddressLine3:s ArchiveDate:dt BlockingStatus:i32
        BusinessTypeCode:s BusinessTypeDescription:s ChamberOfCommerceEstablishment:s ChamberOfCommerceNumber:s
        City:s Class_01:nav Class_02:nav Class_03:nav Class_04:nav Class_05:nav CompanySizeCode:s
        CompanySizeDescription:s Country:s Created:dt Creator:g CreatorFullName:s Currency:s Current:b
        Customer:g CustomerCode:s CustomerName:s DatevAccountantNumber:s DatevClientNumber:s Description:s
        DivisionHRLinkUnlinkDate:dt DivisionMoveDate:dt Email:s Fax:s Hid:i64 IsDossierDivision:b IsHRDivision:b
        IsMainDivision:b IsPracticeDivision:b Legislation:s Modified:dt Modifier:g ModifierFullName:s OBNumber:s
        Phone:s Postcode:s SbiCode:s SbiDescription:s SectorCode:s SectorDescription:s ShareCapital:f
        SiretNumber:s StartDate:dt State:s Status:i32 SubsectorCode:s SubsectorDescription:s TaxOfficeNumber:s
        TaxReferenceNumber:s TemplateCode:s VATNumber:s Website:s
        """,
    },
    "hrm/Divisions": {
        "read": """
        Code*:i32 ArchiveDate:dt BlockingStatus:i32 Class_01:nav Class_02:nav Class_03:nav Class_04:nav
        Class_05:nav Country:s CountryDescription:s Created:dt Creator:g CreatorFullName:s Currency:s
        CurrencyDescription:s Customer:g CustomerCode:s CustomerName:s Description:s HID:i64 Main:b Modified:dt
        Modifier:g ModifierFullName:s OBNumber:s SiretNumber:s StartDate:dt Status:i16 TaxOfficeNumber:s
        TaxReferenceNumber:s TemplateCode:s VATNumber:s Website:s
        """,
    },
    "webhooks/WebhookSubscriptions": {
        "read": """
        ID*:g ClientID:g Created:dt Creator:g CreatorFullName:s Description:s Division:i32
        """,
        "write": """
        CallbackURL!:s Topic!:s UserID:g
        """,
    },
}
